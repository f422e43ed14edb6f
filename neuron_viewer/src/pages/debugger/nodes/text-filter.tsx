import { useState, type Ref } from "react";

type TextFilterProps = { text: string; onChange: (text: string) => void; ref: Ref<HTMLInputElement> };

/** Words to find in a row's name, tokens or kind. What is typed shows at once; the URL follows. */
export function TextFilter({ text, onChange, ref }: TextFilterProps) {
  const [draft, setDraft] = useState({ text, from: text });
  if (draft.from !== text) setDraft({ text: draft.text.trim() === text ? draft.text : text, from: text });
  return (
    <label className="field filter hide-s">
      <span className="sr">Filter rows</span>
      <input
        ref={ref}
        type="search"
        placeholder="Filter"
        value={draft.text}
        onChange={(event) => {
          setDraft({ ...draft, text: event.target.value });
          onChange(event.target.value);
        }}
        onKeyDown={(event) => {
          if (event.key === "Escape") event.currentTarget.blur();
        }}
      />
      <kbd aria-hidden="true">f</kbd>
    </label>
  );
}

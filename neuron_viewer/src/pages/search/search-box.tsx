import type { Mode } from "./search-state";

const PLACEHOLDERS: Record<Mode, string> = {
  meaning: "names of women",
  keyword: "names women",
  token: "\u00b7Paris",
  text: "Type or paste a text",
};

interface SearchBoxProps {
  mode: Mode;
  draft: string;
  onDraft: (draft: string) => void;
}

/** A token's spaces are shown as dots, so that the leading one is seen; a dot that is typed means a space too. */
export function SearchBox({ mode, draft, onDraft }: SearchBoxProps) {
  const isToken = mode === "token";
  const field = {
    "aria-label": "Search",
    autoFocus: true,
    spellCheck: false,
    autoComplete: "off",
    placeholder: PLACEHOLDERS[mode],
    value: isToken ? draft.replaceAll(" ", "\u00b7") : draft,
  };
  if (mode === "text") {
    return (
      <textarea
        {...field}
        rows={3}
        maxLength={20_000}
        onChange={(event) => {
          onDraft(event.target.value);
        }}
      />
    );
  }
  return (
    <input
      {...field}
      type="text"
      className={isToken ? "mono" : undefined}
      maxLength={1000}
      onChange={(event) => {
        onDraft(isToken ? event.target.value.replaceAll("\u00b7", " ") : event.target.value);
      }}
    />
  );
}

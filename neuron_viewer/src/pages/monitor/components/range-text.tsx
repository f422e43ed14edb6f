import { useState } from "react";

import { readRange, type Range } from "../monitor-state";

type RangeTextProps = { label: string; range: Range | null; onChange: (range: Range | null) => void };

/** A range as text: `24-56`, one number, or nothing for all. */
export function RangeText({ label, range, onChange }: RangeTextProps) {
  const [draft, setDraft] = useState<string | null>(null);
  function settle(text: string) {
    const tidy = text.trim().replaceAll(/\s*[\u2013-]\s*/g, "-");
    if (tidy === "") onChange(null);
    else {
      const found = readRange(tidy.includes("-") ? tidy : `${tidy}-${tidy}`);
      if (found) onChange(found);
    }
    setDraft(null);
  }
  return (
    <label className={range ? "field hide-s on" : "field hide-s"}>
      {label}
      <input
        className="numfield"
        size={7}
        placeholder="all"
        value={draft ?? range?.join("\u2013") ?? ""}
        onChange={(event) => { setDraft(event.target.value); }}
        onBlur={(event) => { if (draft !== null) settle(event.target.value); }}
        onKeyDown={(event) => { if (event.key === "Enter") settle(event.currentTarget.value); }}
      />
    </label>
  );
}

import { useState } from "react";

import { readRange, type Range } from "../monitor-state";

type RangeTextProps = {
  label: string;
  range: Range | null;
  /** The last number there is; null while that is not known. */
  last: number | null;
  onChange: (range: Range | null) => void;
};

/** A range as text: `24-56`, one number, or nothing for all. What does not lie within 0 and `last` is refused at once. */
export function RangeText({ label, range, last, onChange }: RangeTextProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const [isRefused, setRefused] = useState(false);
  const isOutside = range !== null && !isWithin(range, last);
  function settle(text: string) {
    const tidy = text.trim().replaceAll(/\s*[\u2013-]\s*/g, "-");
    const found = readRange(tidy.includes("-") ? tidy : `${tidy}-${tidy}`);
    const isGood = tidy === "" || (found !== null && isWithin(found, last));
    setRefused(!isGood);
    if (!isGood) return; // what was typed stays, to be mended
    onChange(tidy === "" ? null : found);
    setDraft(null);
  }
  return (
    <label className={range ? "field hide-s on" : "field hide-s"}>
      {label}
      <input
        className="numfield"
        size={7}
        aria-invalid={isRefused || isOutside}
        placeholder="all"
        value={draft ?? range?.join("\u2013") ?? ""}
        onChange={(event) => {
          setRefused(false);
          setDraft(event.target.value);
        }}
        onBlur={(event) => { if (draft !== null) settle(event.target.value); }}
        onKeyDown={(event) => { if (event.key === "Enter") settle(event.currentTarget.value); }}
      />
      {(isRefused || isOutside) && (
        <span className="alert small" role="alert">
          {last === null ? "a number, or a range as in 2\u20135" : `there are 0\u2013${last}`}
        </span>
      )}
    </label>
  );
}

function isWithin([, end]: Range, last: number | null): boolean {
  return last === null || end <= last;
}

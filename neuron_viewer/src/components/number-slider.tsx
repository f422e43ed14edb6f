import { useState } from "react";

type NumberSliderProps = {
  label: string;
  value: number;
  range: [number, number];
  /** Called when the slider is let go, or the number is entered. */
  onCommit: (value: number) => void;
};

/** A slider and its number; the number may lie outside the slider's range. */
export function NumberSlider({ label, value, range: [low, high], onCommit }: NumberSliderProps) {
  const [draft, setDraft] = useState<string | null>(null);
  const shown = draft ?? String(value);
  function commit() {
    const next = Number(draft);
    if (draft !== null && draft.trim() !== "" && Number.isFinite(next) && next !== value) onCommit(next);
    setDraft(null);
  }
  return (
    <>
      <input
        type="range"
        aria-label={label}
        min={Math.min(low, value)}
        max={Math.max(high, value)}
        step={(high - low) / 100}
        value={Number(shown)}
        onChange={(event) => { setDraft(event.target.value); }}
        onPointerUp={commit}
        onKeyUp={commit}
        onBlur={commit}
      />
      <input
        className="number"
        aria-label={`${label}, number`}
        inputMode="decimal"
        value={shown}
        onChange={(event) => { setDraft(event.target.value); }}
        onKeyDown={(event) => { if (event.key === "Enter") commit(); }}
        onBlur={commit}
      />
    </>
  );
}

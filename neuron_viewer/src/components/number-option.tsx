import { useId, useState } from "react";

export type NumberOf = { name: string; help: string; min: number; max: number; step: number };
type NumberOptionProps = { option: NumberOf; value: number; onChange: (value: number) => void };

/** A small number that can be typed over. */
export function NumberOption({ option, value, onChange }: NumberOptionProps) {
  const id = useId();
  const [draft, setDraft] = useState<string | null>(null);
  function settle(text: string) {
    const number = option.step === 1 ? Math.round(Number(text)) : Number(text);
    if (text.trim() !== "" && Number.isFinite(number)) onChange(Math.max(option.min, Math.min(option.max, number)));
    setDraft(null);
  }
  return (
    <span title={option.help}>
      <label htmlFor={id}>{option.name}</label>{" "}
      <input
        id={id}
        className="numfield"
        inputMode="decimal"
        style={{ width: `${Math.max(1, (draft ?? String(value)).length) + 0.5}ch` }}
        value={draft ?? value}
        onChange={(event) => { setDraft(event.target.value); }}
        onBlur={(event) => { settle(event.target.value); }}
        onKeyDown={(event) => {
          if (event.key !== "Enter") return;
          event.preventDefault(); // a form around it is not to be sent by this
          settle(event.currentTarget.value);
        }}
      />
    </span>
  );
}

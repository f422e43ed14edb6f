import { useId, useState } from "react";

import type { Sampling } from "../monitor-state";

type SamplingOptionsProps = { sampling: Sampling; onChange: (sampling: Sampling) => void };
type Option = { key: keyof Sampling; name: string; help: string; min: number; max: number; step: number };

const OPTIONS: Option[] = [
  { key: "temperature", name: "temperature", help: "0 always takes the likeliest token", min: 0, max: 100, step: 0.1 },
  { key: "top_p", name: "top-p", help: "Keep the likeliest tokens that make up this share", min: 0.01, max: 1, step: 0.05 },
  { key: "seed", name: "seed", help: "Equal seeds give equal text", min: 0, max: Number.MAX_SAFE_INTEGER, step: 1 },
  { key: "max_new_tokens", name: "max", help: "Tokens of a reply, at most", min: 1, max: 4096, step: 1 },
];

/** How each token of a reply is chosen: small numbers that can be typed over. */
export function SamplingOptions({ sampling, onChange }: SamplingOptionsProps) {
  return (
    <span className="opts small">
      {OPTIONS.map((option) => (
        <NumberOption
          key={option.key}
          option={option}
          value={sampling[option.key]}
          onChange={(value) => { onChange({ ...sampling, [option.key]: value }); }}
        />
      ))}
    </span>
  );
}

type NumberOptionProps = { option: Option; value: number; onChange: (value: number) => void };

function NumberOption({ option, value, onChange }: NumberOptionProps) {
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
          if (event.key === "Enter") settle(event.currentTarget.value);
        }}
      />
    </span>
  );
}

import { NumberOption, type NumberOf } from "@/components/number-option";

import type { Sampling } from "../monitor-state";

type SamplingOptionsProps = { sampling: Sampling; onChange: (sampling: Sampling) => void };
type Option = NumberOf & { key: keyof Sampling };

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

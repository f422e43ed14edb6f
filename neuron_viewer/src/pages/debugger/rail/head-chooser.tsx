import type { ModelResponse } from "@/api/types";

import { headName, headOf, type Head } from "./heads";

export interface HeadChooserProps {
  head: Head;
  /** Heads worth a look, best first. */
  leading: readonly string[];
  model: Pick<ModelResponse, "n_layers" | "n_heads">;
  onChoose: (head: Head) => void;
}

/** Layer and head as two lists, and before them the heads that lead the table. */
export function HeadChooser({ head, leading, model, onChoose }: HeadChooserProps) {
  const name = headName(head);
  function chooseNamed(value: string) {
    const found = headOf(value, model);
    if (found) onChoose(found);
  }
  return (
    <span className="heads">
      <select
        className="select mono"
        aria-label="Head"
        value={name}
        onChange={(event) => {
          chooseNamed(event.target.value);
        }}
      >
        {leading.length > 0 && (
          <optgroup label="In the table">
            {leading.map((one) => (
              <option key={one}>{one}</option>
            ))}
          </optgroup>
        )}
        <optgroup label={`Layer ${head.layer}`}>
          {range(model.n_heads)
            .map((index) => headName({ ...head, index }))
            .filter((one) => !leading.includes(one))
            .map((one) => (
              <option key={one}>{one}</option>
            ))}
        </optgroup>
      </select>
      <select
        className="select"
        aria-label="Layer of the head"
        value={head.layer}
        onChange={(event) => {
          onChoose({ ...head, layer: Number(event.target.value) });
        }}
      >
        {range(model.n_layers).map((layer) => (
          <option key={layer} value={layer}>
            L{layer}
          </option>
        ))}
      </select>
    </span>
  );
}

function range(n: number): number[] {
  return Array.from({ length: n }, (_, index) => index);
}

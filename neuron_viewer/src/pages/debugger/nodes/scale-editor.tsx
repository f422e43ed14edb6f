import { useState, type FormEvent } from "react";

import { scaleSpec, type Where } from "./row-actions";
import { useTable } from "./table-context";
import type { TableRow } from "./table-rows";

type ScaleEditorProps = { row: TableRow; where: Where; onClose: () => void };

/** Multiply the component's activation: 0 removes it, 1 changes nothing. */
export function ScaleEditor({ row, where, onClose }: ScaleEditorProps) {
  const { actions } = useTable();
  const [text, setText] = useState("0.5");
  const value = Number(text);
  const isNumber = text.trim() !== "" && Number.isFinite(value);
  function apply(event: FormEvent) {
    event.preventDefault();
    if (isNumber) actions.addIntervention(scaleSpec(row, where, value));
  }
  return (
    <form
      className="scale-editor"
      onSubmit={apply}
      onKeyDown={(event) => {
        if (event.key === "Escape") onClose();
      }}
    >
      <label className="label" htmlFor="scale-value">
        Scale <span className="mono">{row.row.component}</span> by
      </label>
      <input
        type="range"
        min={-1}
        max={3}
        step={0.05}
        value={isNumber ? value : 1}
        aria-label="Factor"
        onChange={(event) => setText(event.target.value)}
      />
      <input
        id="scale-value"
        className="field number"
        inputMode="decimal"
        value={text}
        autoFocus
        aria-invalid={!isNumber}
        onFocus={(event) => event.target.select()}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="btn small primary" disabled={!isNumber}>
        Apply
      </button>
      <button type="button" className="btn small plain" onClick={onClose}>
        Cancel
      </button>
      <span className="note">0 removes it, 1 changes nothing</span>
    </form>
  );
}

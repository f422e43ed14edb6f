import { useMemo, useState } from "react";

import type { ActivationsResponse } from "@/api/types";
import { define } from "@/lib/define";
import { formatMagnitude, visibleText } from "@/lib/format";

import { TokenPair } from "../token";
import { HeatGrid } from "./heat-grid";
import { HeatTable } from "./heat-table";
import { isCell, valueAt, type HeatCell } from "./model";
import { asPattern, patternModel, type AttentionPair } from "./pattern-model";

export interface PatternViewProps {
  result: ActivationsResponse["results"][number];
  head: string;
  /** The token whose row stands out. */
  at: number;
  selected: AttentionPair | null;
  asTable: boolean;
  onPick?: (pair: AttentionPair) => void;
}

/** One attention pattern: rows from, columns to. A click picks a pair. */
export function PatternView({ result, head, at, selected, asTable, onPick }: PatternViewProps) {
  const { tokens, activations } = result;
  const [pointed, setPointed] = useState<HeatCell | null>(null);
  const pattern = useMemo(() => asPattern(activations), [activations]);
  const { query, key } = selected ?? { query: -1, key: -1 };
  const model = useMemo(
    () => patternModel(head, tokens, pattern, at, query < 0 ? null : { query, key }),
    [head, tokens, pattern, at, query, key],
  );
  const mark = query >= 0 && query < tokens.length ? { row: query, column: key } : null;
  const shown = pointed !== null && isCell(model, pointed) ? pointed : model.home;
  if (asTable) return <HeatTable model={model} format={formatMagnitude} />;
  return (
    <>
      <HeatGrid
        model={model}
        marks={mark ? [{ key: "selected", range: { from: mark, to: mark } }] : []}
        describe={(cell) =>
          `from ${visibleText(tokens[cell.row]?.text ?? "")} ${cell.row} to ` +
          `${visibleText(tokens[cell.column]?.text ?? "")} ${cell.column}: ${formatMagnitude(valueAt(model, cell) ?? 0)}`
        }
        pointed={pointed}
        onPoint={setPointed}
        onPick={onPick && (({ to }) => onPick({ query: to.row, key: to.column }))}
      />
      {shown && (
        <p className="readout">
          <TokenPair
            from={{ text: tokens[shown.row]?.text ?? "", index: shown.row }}
            to={{ text: tokens[shown.column]?.text ?? "", index: shown.column }}
          />{" "}
          <b {...define("activation", { exact: valueAt(model, shown) })}>
            {formatMagnitude(valueAt(model, shown) ?? 0)}
          </b>
        </p>
      )}
    </>
  );
}

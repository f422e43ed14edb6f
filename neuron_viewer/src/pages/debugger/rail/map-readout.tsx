import type { LensResponse, NodeRow } from "@/api/types";
import type { HeatCell } from "@/components/heat-grid/model";
import { valueAt } from "@/components/heat-grid/model";
import { Token } from "@/components/token";
import { define } from "@/lib/define";
import { formatEffect, formatProb } from "@/lib/format";

import { columnIndex, onlyIn } from "./alignment";
import { cellNodes, effectOf } from "./cell-nodes";
import type { EffectMap, Part } from "./effect-map";

export interface MapReadoutProps {
  map: EffectMap;
  cell: HeatCell;
  nodes: readonly NodeRow[];
  part: Part;
  lens: LensResponse | undefined;
  onSelect: (node: string) => void;
}

/** The cell that is pointed at, in words: its value, its strongest listed nodes, the lens after its layer. */
export function MapReadout({ map, cell, nodes, part, lens, onSelect }: MapReadoutProps) {
  const row = map.rows[cell.row];
  const column = map.columns[cell.column];
  const value = valueAt(map.model, cell);
  if (!row || !column) return null;
  const strongest = cellNodes(nodes, row, column, part);
  return (
    <div className="readout">
      <p>
        {map.model.rows[cell.row]?.name} at <Token text={column.token.text} index={columnIndex(column)} />{" "}
        <b
          className={value === null ? "quiet" : value < 0 ? "neg" : "pos"}
          {...define("total_effect", { exact: value })}
        >
          {value === null ? onlyIn(column) : formatEffect(value)}
        </b>
      </p>
      <p className="behind">
        {strongest.length === 0 && <span className="quiet">no listed node here</span>}
        {strongest.map((node) => (
          <button key={node.node} type="button" className="linklike" onClick={() => onSelect(node.node)}>
            <span className="mono">{node.node}</span> {formatEffect(effectOf(node))}
          </button>
        ))}
      </p>
      <LensTokens lens={lens} layer={"layer" in row ? row.layer : row.strip === "embed" ? -1 : null} />
    </div>
  );
}

function LensTokens({ lens, layer }: { lens: LensResponse | undefined; layer: number | null }) {
  const read = lens?.layers.find((one) => one.layer === layer);
  if (!lens || !read) return <p className="quiet">{"\u00a0"}</p>;
  return (
    <p>
      <span className="quiet">lens after {read.layer < 0 ? "embeddings" : `layer ${read.layer}`}</span>{" "}
      <b {...define("logit_lens", { exact: read.value, unit: lens.unit })}>{formatEffect(read.value)}</b>
      {read.tokens.slice(0, 3).map((token) => (
        <span key={token.id} className="lens-token">
          <Token text={token.text} /> {formatProb(token.prob)}
        </span>
      ))}
    </p>
  );
}

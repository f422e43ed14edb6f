import type { LensResponse } from "@/api/types";
import { headerHeight } from "@/components/heat-grid/heat-labels";
import { heatLayout, type HeatModel } from "@/components/heat-grid/model";
import { formatEffect } from "@/lib/format";

import type { MapRow } from "./effect-map";
import { lensMaximum } from "./lens";

export interface LensColumnProps {
  lens: LensResponse | undefined;
  model: HeatModel;
  rows: readonly MapRow[];
  caption: string;
  /** The case whose lens it is, where there are two. */
  side: 0 | 1 | null;
  onSide: (side: 0 | 1) => void;
  onPoint: (row: number | null) => void;
}

/** The logit lens beside the map: one bar for each layer, on the layer's own row, embeddings on theirs. */
export function LensColumn({ lens, model, rows, caption, side, onSide, onPoint }: LensColumnProps) {
  const { tops, height } = heatLayout(model, 0);
  const maximum = lens ? lensMaximum(lens) : 1;
  return (
    <div className="lensc">
      <div className="mlens" style={{ height: headerHeight(model) }}>
        {side === null ? <span>Logit lens</span> : <SideSwitch side={side} onSide={onSide} />}
        <span className="quiet" title={caption}>
          {caption}
        </span>
      </div>
      <div className="lens-bars" style={{ height }} onPointerLeave={() => onPoint(null)}>
        {lens &&
          rows.map((row, index) => {
            const value = valueOf(lens, row);
            if (value === null) return null;
            return (
              <span
                key={model.rows[index]?.key}
                className="lens"
                style={{ top: tops[index], height: model.rows[index]?.height }}
                title={`${model.rows[index]?.name ?? ""}: ${formatEffect(value)}`}
                onPointerEnter={() => onPoint(index)}
              >
                <i
                  className={value < 0 ? "n" : "p"}
                  style={{ width: `${((50 * Math.abs(value)) / maximum).toFixed(1)}%` }}
                />
              </span>
            );
          })}
      </div>
    </div>
  );
}

function SideSwitch({ side, onSide }: { side: 0 | 1; onSide: (side: 0 | 1) => void }) {
  const [shown, other] = side === 0 ? ["left", "right"] : ["right", "left"];
  return (
    <button
      type="button"
      className="side-switch"
      title={`Show the lens of the ${other} case`}
      onClick={() => {
        onSide(side === 0 ? 1 : 0);
      }}
    >
      Logit lens, {shown}
    </button>
  );
}

/** Layer -1 of the lens is the embeddings alone, drawn on the embeddings' strip. */
function valueOf(lens: LensResponse, row: MapRow): number | null {
  const layer = "layer" in row ? row.layer : row.strip === "embed" ? -1 : null;
  return lens.layers.find((one) => one.layer === layer)?.value ?? null;
}

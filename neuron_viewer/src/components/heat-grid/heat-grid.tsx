import { useId, useMemo, useRef } from "react";

import { HeatCanvas } from "./heat-canvas";
import { ColumnLabels, headerHeight, RowLabels } from "./heat-labels";
import {
  heatLayout,
  isCell,
  rangeBox,
  type HeatCell,
  type HeatLayout,
  type HeatModel,
  type HeatRange,
} from "./model";
import { useCellPointer } from "./use-cell-pointer";
import { useReveal } from "./use-reveal";
import { usePageTheme } from "./use-page-theme";
import { useViewport } from "./use-viewport";
import "./heat-grid.css";

export interface HeatMark {
  key: string;
  range: HeatRange;
}

export interface HeatGridProps {
  model: HeatModel;
  marks: readonly HeatMark[];
  /** A cell in words, for those who do not see its colour. */
  describe: (cell: HeatCell) => string;
  pointed: HeatCell | null;
  onPoint: (cell: HeatCell | null) => void;
  onPick?: ((range: HeatRange) => void) | undefined;
}

export const LABEL_WIDTH = 74;
/** The label of a thin row is taller than the row: the last one's reaches so far below. */
const LABEL_SPILL = 3;

/** Rows by tokens in colour. The mouse points, clicks and drags; arrow keys, Shift and Enter do the same. */
export function HeatGrid({ model, marks, describe, pointed, onPoint, onPick }: HeatGridProps) {
  const scroller = useRef<HTMLDivElement>(null);
  const viewport = useViewport(scroller);
  const theme = usePageTheme();
  const id = useId();
  const room = Math.max(0, viewport.width - LABEL_WIDTH);
  const layout = useMemo(() => heatLayout(model, room), [model, room]);
  const head = headerHeight(model);
  const { active, sought, range, keyboard, pointer } = useCellPointer(model, layout, { onPoint, onPick });
  const inset = { left: LABEL_WIDTH, top: head };
  useReveal(scroller, model, layout, viewport.width > 0 ? (model.home ?? null) : null, inset);
  useReveal(scroller, model, layout, sought, inset);
  const view = {
    left: viewport.left,
    top: viewport.top,
    width: Math.min(room, layout.width),
    height: Math.min(Math.max(0, viewport.height - head), layout.height),
  };
  return (
    <div className="hg" ref={scroller} style={{ "--hg-head": `${head}px`, "--hg-label": `${LABEL_WIDTH}px` }}>
      <div
        className="hg-grid"
        role="grid"
        tabIndex={0}
        aria-label={model.label}
        aria-rowcount={model.rows.length}
        aria-colcount={model.columns.length}
        aria-activedescendant={active ? `${id}-cell` : undefined}
        style={{
          width: LABEL_WIDTH + layout.width,
          height: head + layout.height + LABEL_SPILL,
          paddingBottom: LABEL_SPILL,
        }}
        {...keyboard}
      >
        {active && (
          <div role="row" aria-rowindex={active.row + 1} className="sr">
            <span role="gridcell" id={`${id}-cell`} aria-colindex={active.column + 1}>
              {describe(active)}
            </span>
          </div>
        )}
        <div className="hg-corner" aria-hidden="true">
          {model.corner}
        </div>
        <div className="hg-head" aria-hidden="true">
          <ColumnLabels model={model} layout={layout} view={view} pointed={pointed?.column ?? null} />
        </div>
        <div className="hg-side" aria-hidden="true">
          <RowLabels model={model} layout={layout} view={view} pointed={pointed?.row ?? null} />
        </div>
        <div className="hg-cells" aria-hidden="true" {...pointer}>
          <HeatCanvas model={model} layout={layout} view={view} offset={inset} theme={theme} />
          {marks.map((mark) => (
            <Outline key={mark.key} kind={mark.key} model={model} layout={layout} range={mark.range} />
          ))}
          {range && <Outline kind="range" model={model} layout={layout} range={range} />}
          {active && (
            <Outline kind="active" model={model} layout={layout} range={{ from: active, to: active }} />
          )}
          {pointed && isCell(model, pointed) && (
            <Outline kind="pointed" model={model} layout={layout} range={{ from: pointed, to: pointed }} />
          )}
        </div>
      </div>
    </div>
  );
}

interface OutlineProps {
  kind: string;
  model: HeatModel;
  layout: HeatLayout;
  range: HeatRange;
}

function Outline({ kind, model, layout, range }: OutlineProps) {
  const box = rangeBox(model, layout, range);
  return (
    <div className={`hg-mark ${kind}`} style={{ ...box, width: box.width - 1, height: box.height - 1 }} />
  );
}

import { Token } from "../token";
import { labelledColumns, visibleColumns, visibleRows, type HeatLayout, type HeatModel } from "./model";

const CHARACTER = 6.8;

/** Room for the longest token that is shown whole, within reason. */
export function headerHeight(model: HeatModel): number {
  const longest = Math.max(1, ...model.columns.slice(0, 400).map((column) => column.token.length));
  return Math.round(Math.min(78, Math.max(24, longest * CHARACTER + 9)));
}

export interface LabelsProps {
  model: HeatModel;
  layout: HeatLayout;
  view: { left: number; top: number; width: number; height: number };
  /** The row or column the reader points at. */
  pointed: number | null;
}

export function ColumnLabels({ model, layout, view, pointed }: LabelsProps) {
  const { first, last } = visibleColumns(layout, view.left, view.width, model.columns.length);
  const isLabelled = labelledColumns(layout, model);
  return model.columns.slice(first, last + 1).map((column, i) => {
    const index = first + i;
    if (index !== pointed && !isLabelled(index)) return null;
    const tone =
      index === pointed ? " on" : column.strong === true ? " at" : column.isQuiet === true ? " off" : "";
    return (
      <span key={column.key} className={`hg-col${tone}`} style={{ left: (index + 0.5) * layout.columnWidth }}>
        <Token text={column.token} />
      </span>
    );
  });
}

export function RowLabels({ model, layout, view, pointed }: LabelsProps) {
  const { first, last } = visibleRows(model, layout, view.top, view.height);
  return model.rows.slice(first, last + 1).map((row, i) => {
    const index = first + i;
    if (row.isQuiet === true && index !== pointed) return null;
    const tone = index === pointed ? " on" : row.strong === true ? " at" : "";
    const top = (layout.tops[index] ?? 0) + row.height / 2;
    return (
      <span key={row.key} className={`hg-row${tone}`} style={{ top }}>
        {row.isToken === true ? <Token text={row.label} /> : row.label}
      </span>
    );
  });
}

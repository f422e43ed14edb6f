/**
 * A heat grid as data: what to draw, and where each cell lies in pixels.
 *
 * Drawing, hovering and the keyboard all ask these functions, so they cannot disagree.
 */

export interface HeatColumn {
  key: string;
  /** The token, exactly as the model gave it. */
  token: string;
  index: number;
  strong?: boolean;
  /** Labelled in quiet ink: there is nothing below. */
  isQuiet?: boolean;
}

export interface HeatRow {
  key: string;
  /** Spoken and tabulated name of the row. */
  name: string;
  /** What stands beside the row. */
  label: string;
  /** Rows too thin to name each: the label shows only while the row is pointed at. */
  isQuiet?: boolean;
  /** Whether `label` is a token, to be shown with its white space. */
  isToken?: boolean;
  strong?: boolean;
  height: number;
  /** Space above the row. */
  gap?: number;
  /** The value drawn at full strength in this row, where it is not the model's. */
  maximum?: number;
  /** One per column; null where there is no cell. */
  values: readonly (number | null)[];
}

export interface HeatModel {
  label: string;
  columns: readonly HeatColumn[];
  rows: readonly HeatRow[];
  /** The cell to show first, where not all of them fit. */
  home?: HeatCell | undefined;
  /** What rows and columns are, in the corner between their labels. */
  corner?: string;
  /** The value drawn at full strength. */
  maximum: number;
  signed: boolean;
}

export interface HeatCell {
  row: number;
  column: number;
}

/** Rows and columns from `from` to `to`, both included, in order. */
export interface HeatRange {
  from: HeatCell;
  to: HeatCell;
}

export interface HeatLayout {
  columnWidth: number;
  width: number;
  height: number;
  tops: readonly number[];
}

export const FIT_COLUMNS = 48;
const SCROLLED_COLUMN = 12;
const WIDEST_COLUMN = 30;
const LABEL_PITCH = 11;

export function heatLayout(model: HeatModel, available: number): HeatLayout {
  const n = Math.max(1, model.columns.length);
  const columnWidth =
    n > FIT_COLUMNS ? Math.max(SCROLLED_COLUMN, available / n) : Math.min(WIDEST_COLUMN, available / n);
  const tops: number[] = [];
  let y = 0;
  for (const row of model.rows) {
    y += row.gap ?? 0;
    tops.push(y);
    y += row.height;
  }
  return { columnWidth, width: columnWidth * n, height: y, tops };
}

/** The cell under a point of the grid's body; null between rows, outside, or where no cell is. */
export function cellAt(model: HeatModel, layout: HeatLayout, x: number, y: number): HeatCell | null {
  const column = Math.floor(x / layout.columnWidth);
  if (x < 0 || column >= model.columns.length) return null;
  const row = layout.tops.findLastIndex((top) => y >= top);
  const found = model.rows[row];
  const top = layout.tops[row];
  if (found === undefined || top === undefined || y >= top + found.height) return null;
  return isCell(model, { row, column }) ? { row, column } : null;
}

export function isCell(model: HeatModel, { row, column }: HeatCell): boolean {
  const value = model.rows[row]?.values[column];
  return value !== undefined && value !== null;
}

export function valueAt(model: HeatModel, { row, column }: HeatCell): number | null {
  return model.rows[row]?.values[column] ?? null;
}

export interface Box {
  left: number;
  top: number;
  width: number;
  height: number;
}

export function rangeBox(model: HeatModel, layout: HeatLayout, range: HeatRange): Box {
  const { from, to } = sortedRange(range);
  const top = layout.tops[from.row] ?? 0;
  const bottom = (layout.tops[to.row] ?? 0) + (model.rows[to.row]?.height ?? 0);
  return {
    left: from.column * layout.columnWidth,
    top,
    width: (to.column - from.column + 1) * layout.columnWidth,
    height: bottom - top,
  };
}

export function sortedRange({ from, to }: HeatRange): HeatRange {
  return {
    from: { row: Math.min(from.row, to.row), column: Math.min(from.column, to.column) },
    to: { row: Math.max(from.row, to.row), column: Math.max(from.column, to.column) },
  };
}

/** Columns that leave room for a legible label: every one, or every second, third... */
export function labelledColumns(layout: HeatLayout, model: HeatModel): (column: number) => boolean {
  const every = Math.max(1, Math.ceil(LABEL_PITCH / layout.columnWidth));
  const strong = model.columns.findIndex((column) => column.strong === true);
  return (column) =>
    column === strong || (column % every === 0 && (strong < 0 || Math.abs(column - strong) >= every));
}

export interface Window {
  first: number;
  last: number;
}

/** Columns (or rows) that are at least partly in view, with one to spare on each side. */
export function visibleColumns(layout: HeatLayout, scrollLeft: number, width: number, n: number): Window {
  return {
    first: Math.max(0, Math.floor(scrollLeft / layout.columnWidth) - 1),
    last: Math.min(n - 1, Math.ceil((scrollLeft + width) / layout.columnWidth) + 1),
  };
}

export function visibleRows(model: HeatModel, layout: HeatLayout, scrollTop: number, height: number): Window {
  const first = layout.tops.findIndex((top, row) => top + (model.rows[row]?.height ?? 0) >= scrollTop);
  const last = layout.tops.findLastIndex((top) => top <= scrollTop + height);
  return { first: Math.max(0, first), last };
}

/** Moves by one cell in a direction, staying on cells; the same cell when there is none further. */
export function moved(model: HeatModel, cell: HeatCell, rows: number, columns: number): HeatCell {
  let next = { row: cell.row + rows, column: cell.column + columns };
  while (isInside(model, next)) {
    if (isCell(model, next)) return next;
    next = { row: next.row + rows, column: next.column + columns };
  }
  return cell;
}

function isInside(model: HeatModel, { row, column }: HeatCell): boolean {
  return row >= 0 && column >= 0 && row < model.rows.length && column < model.columns.length;
}

/** The strongest cell, where a reader who arrives by keyboard starts. */
export function strongestCell(model: HeatModel): HeatCell | null {
  let best: HeatCell | null = null;
  let size = -1;
  model.rows.forEach((row, r) => {
    row.values.forEach((value, c) => {
      if (value !== null && Math.abs(value) > size) {
        size = Math.abs(value);
        best = { row: r, column: c };
      }
    });
  });
  return best;
}

/** The `n` strongest cells, largest first: a heat grid in words. */
export function strongestCells(model: HeatModel, n: number): HeatCell[] {
  const cells = model.rows.flatMap((row, r) =>
    row.values.flatMap((value, c) => (value === null ? [] : [{ row: r, column: c, size: Math.abs(value) }])),
  );
  return cells
    .sort((a, b) => b.size - a.size)
    .slice(0, n)
    .map(({ row, column }) => ({ row, column }));
}

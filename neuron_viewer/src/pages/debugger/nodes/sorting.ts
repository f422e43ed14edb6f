/**
 * Sorting by any column. A column's name is `node`, `token`, `flag`, or a metric: `total_effect` in one case and
 * for the difference of two, `total_effect:left` and `total_effect:right` for the sides. Effects sort by size first, since a strong push
 * either way matters; `.signed` sorts them from one end to the other.
 */

import { DEFAULT_SORT, type Sort } from "@/lib/url-state";

import { METRICS, metricIn, metricOn, type Measured, type Metric, type Side } from "./metrics";
import type { TableRow } from "./table-rows";

export type SortKey = { column: "node" | "token" | "flag" | Metric; side: Side; signed: boolean };

const SIDES: readonly string[] = ["left", "diff", "right"];
const COLUMNS: readonly string[] = ["node", "token", "flag", ...METRICS];

/** Reads a column's name; one that is unknown (an old link) sorts as the default does. */
export function sortKey(name: string): SortKey {
  const [path = "", suffix] = name.split(".");
  const [column = "", side = "diff"] = path.split(":");
  if (!COLUMNS.includes(column) || !SIDES.includes(side)) return sortKey(DEFAULT_SORT.column);
  return { column: column as SortKey["column"], side: side as Side, signed: suffix === "signed" };
}

/** What a click on a header does. Effects: by size, largest first; then most positive first; then most negative. */
export function nextSort(current: Sort, column: string): Sort {
  const name = current.column.replace(".signed", "");
  const key = sortKey(column).column;
  if (key === "node" || key === "token") {
    return { column, descending: name === column && !current.descending };
  }
  if (name !== column) return { column, descending: true };
  if (key === "write_magnitude" || key === "flag") return { column, descending: !current.descending };
  if (!current.column.endsWith(".signed")) return { column: `${column}.signed`, descending: true };
  return current.descending ? { column: current.column, descending: false } : { column, descending: true };
}

export type SortContext = { compare: boolean; measured: Measured };

function numberFor(row: TableRow, { column, side, signed }: SortKey, context: SortContext): number | null {
  const { compare, measured } = context;
  const read = (metric: Metric) =>
    compare ? metricOn(row, metric, side, measured) : metricIn(row, metric, 0, measured);
  if (column === "flag") {
    const estimate = metricIn(row, "total_effect", 0, measured);
    const effect = metricIn(row, "measured_effect", 0, measured);
    return estimate === null || effect === null ? null : Math.abs(estimate - effect);
  }
  const value = read(column as Metric);
  return value === null || signed ? value : Math.abs(value);
}

const KIND_ORDER = ["embed", "attn", "mlp", "latent", "error", "bias"];

/** Embeddings, then layer by layer upward, attention before MLP, biases last. */
function byNode(a: TableRow, b: TableRow): number {
  const layer = ({ row }: TableRow) => row.layer ?? (row.kind === "embed" ? -1 : Number.MAX_SAFE_INTEGER);
  const kind = ({ row }: TableRow) => KIND_ORDER.indexOf(row.kind);
  return (
    layer(a) - layer(b) || kind(a) - kind(b) || (a.row.index ?? -1) - (b.row.index ?? -1) || byToken(a, b)
  );
}

function byToken(a: TableRow, b: TableRow): number {
  const place = (row: TableRow) => row.token?.position ?? Number.MAX_SAFE_INTEGER;
  return place(a) - place(b) || (a.keyToken?.position ?? -1) - (b.keyToken?.position ?? -1);
}

/** Rows without a value come last either way; equals keep the server's order. */
export function sortRows(rows: readonly TableRow[], sort: Sort, context: SortContext): TableRow[] {
  const key = sortKey(sort.column);
  const sign = sort.descending ? -1 : 1;
  if (key.column === "node" || key.column === "token") {
    const compare = key.column === "node" ? byNode : byToken;
    return [...rows].sort((a, b) => sign * compare(a, b));
  }
  const numbers = new Map(rows.map((row) => [row, numberFor(row, key, context)]));
  return [...rows].sort((a, b) => {
    const [x, y] = [numbers.get(a) ?? null, numbers.get(b) ?? null];
    if (x === null || y === null) return Number(x === null) - Number(y === null);
    return sign * (x - y);
  });
}

/** How many rows stand elsewhere, or are missing, in what is shown. */
export function movedRows(shown: readonly TableRow[], wanted: readonly TableRow[]): number {
  return wanted.reduce((moved, row, i) => moved + Number(shown[i]?.id !== row.id), 0);
}

import type { HeatRange } from "@/components/heat-grid/model";

import type { Filters } from "../view";
import { columnIndex, type AlignedColumn } from "./alignment";
import type { EffectMap, MapRow, Part, Strip } from "./effect-map";

type MapFilter = Pick<Filters, "kind" | "layers" | "tokens" | "text">;

const STRIP_KIND: Record<Strip, Filters["kind"]> = {
  embed: "embed",
  mlp: "mlp",
  attn_from: "attn",
  attn_to: "attn",
};

/** The rows of the table that stand behind a range of cells. */
export function filterOfRange({ rows, columns }: EffectMap, { from, to }: HeatRange, part: Part): MapFilter {
  const chosen = rows.slice(from.row, to.row + 1);
  const layers = chosen.flatMap((row) => ("layer" in row ? [row.layer] : []));
  const tokens = tokenRange(columns.slice(from.column, to.column + 1));
  if (layers.length > 0) {
    return {
      kind: part === "both" ? "all" : part,
      layers: [Math.min(...layers), Math.max(...layers)],
      tokens,
      text: "",
    };
  }
  const strips = chosen.flatMap((row) => ("strip" in row ? [row.strip] : []));
  const kinds = new Set(strips.map((strip) => STRIP_KIND[strip]));
  const [kind = "all"] = kinds;
  const isByKey = strips.length === 1 && strips[0] === "attn_to" && tokens[0] === tokens[1];
  return {
    kind: kinds.size === 1 ? kind : "all",
    layers: null,
    // Rows are filtered by the token they stand on; the attended one is found by its name.
    tokens: isByKey ? null : tokens,
    text: isByKey ? `:${tokens[0]}` : "",
  };
}

function tokenRange(columns: readonly AlignedColumn[]): [number, number] {
  const indices = columns.map(columnIndex);
  return [Math.min(...indices), Math.max(...indices)];
}

export const NO_MAP_FILTER: MapFilter = { kind: "all", layers: null, tokens: null, text: "" };

export function isSameFilter(a: MapFilter, b: MapFilter): boolean {
  return (
    a.kind === b.kind &&
    a.text === b.text &&
    isSameRange(a.layers, b.layers) &&
    isSameRange(a.tokens, b.tokens)
  );
}

function isSameRange(a: readonly [number, number] | null, b: readonly [number, number] | null): boolean {
  return a?.[0] === b?.[0] && a?.[1] === b?.[1];
}

/** The cells a filter of layers and tokens keeps, to be outlined; null when it keeps all of them. */
export function rangeOfFilter({ rows, columns }: EffectMap, filters: MapFilter): HeatRange | null {
  const { layers, tokens } = filters;
  if (!layers && !tokens) return null;
  const isKept = (row: MapRow) =>
    "layer" in row && (!layers || (row.layer >= layers[0] && row.layer <= layers[1]));
  const isAt = (column: AlignedColumn) =>
    !tokens || (columnIndex(column) >= tokens[0] && columnIndex(column) <= tokens[1]);
  const from = { row: rows.findIndex(isKept), column: columns.findIndex(isAt) };
  const to = { row: rows.findLastIndex(isKept), column: columns.findLastIndex(isAt) };
  return Math.min(from.row, from.column, to.row, to.column) < 0 ? null : { from, to };
}

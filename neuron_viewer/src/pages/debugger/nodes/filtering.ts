/** Which rows the filters keep, and which filters are on. */

import type { NodeRow } from "@/api/types";
import { sublayerOf } from "@/lib/bases";
import { parseComponent } from "@/lib/node";
import type { Filters } from "@/lib/url-state";

import type { TableRow } from "./table-rows";

export function isFiltered(filters: Filters): boolean {
  const { kind, layers, tokens, text, flaggedOnly } = filters;
  return kind !== "all" || layers !== null || tokens !== null || text.trim() !== "" || flaggedOnly;
}

function inRange(value: number | null, range: readonly [number, number] | null): boolean {
  if (range === null) return true;
  return value !== null && value >= range[0] && value <= range[1];
}

function ofKind({ row }: TableRow, kind: Filters["kind"]): boolean {
  if (kind === "all") return true;
  // What a coder missed belongs with its latents, and both with the half of the layer that they stand for.
  return kindsOf(row).includes(kind);
}

/** The kinds a row is found under. */
export function kindsOf({ kind, component }: NodeRow): Filters["kind"][] {
  if (kind !== "latent" && kind !== "error") return kind === "bias" ? [] : [kind];
  const sublayer = sublayerOf(parseComponent(component));
  return sublayer === null ? ["latent"] : ["latent", sublayer];
}

/** Every word must be found: in the node's name, its tokens, its kind or its tag. */
function hasWords(row: TableRow, text: string): boolean {
  const words = text.toLowerCase().replaceAll("·", " ").split(/\s+/).filter(Boolean);
  return words.every((word) => row.search.includes(word));
}

export function filterRows(
  rows: readonly TableRow[],
  filters: Filters,
  isFlagged: (row: TableRow) => boolean,
): TableRow[] {
  return rows.filter(
    (row) =>
      ofKind(row, filters.kind) &&
      inRange(row.row.layer, filters.layers) &&
      inRange(row.token?.position ?? null, filters.tokens) &&
      hasWords(row, filters.text) &&
      (!filters.flaggedOnly || isFlagged(row)),
  );
}

import type { Token } from "@/api/types";
import type { HeatCell, HeatModel } from "./model";

const CELL = 15;
const SMALL_CELL = 11;
const ROOMY = 32;

export interface AttentionPair {
  query: number;
  key: number;
}

/** An attention pattern as a grid: rows from (queries), columns to (keys), nothing above the diagonal. */
export function patternModel(
  name: string,
  tokens: readonly Token[],
  pattern: readonly (readonly number[])[],
  at: number,
  selected: AttentionPair | null = null,
): HeatModel {
  return {
    home: homeOf(pattern, at, selected),
    label: `Attention pattern of ${name}, rows from, columns to`,
    columns: tokens.map((token, index) => ({
      key: String(index),
      token: token.text,
      index,
    })),
    rows: tokens.map((token, query) => ({
      key: String(query),
      name: `from ${query}`,
      label: token.text,
      isToken: true,
      strong: query === at,
      height: tokens.length > ROOMY ? SMALL_CELL : CELL,
      values: tokens.map((_, key) => (key <= query ? (pattern[query]?.[key] ?? 0) : null)),
    })),
    corner: "from \u2193 to \u2192",
    maximum: 1,
    signed: false,
  };
}

/** The selected pair, else the strongest pair of the token whose row stands out. */
function homeOf(
  pattern: readonly (readonly number[])[],
  at: number,
  selected: AttentionPair | null,
): HeatCell | undefined {
  if (selected && pattern[selected.query]) return { row: selected.query, column: selected.key };
  const row = pattern[at]?.slice(0, at + 1);
  return row ? { row: at, column: row.indexOf(Math.max(...row)) } : undefined;
}

/** Heads answer with a row for each query; anything else is not a pattern. */
export function asPattern(activations: readonly (number | readonly number[])[]): (readonly number[])[] {
  return activations.flatMap((row) => (typeof row === "number" ? [] : [row]));
}

import type { Token } from "@/api/types";
import type { HeatModel } from "./model";

const CELL = 15;
const SMALL_CELL = 11;
const ROOMY = 32;

/** An attention pattern as a grid: rows from (queries), columns to (keys), nothing above the diagonal. */
export function patternModel(
  name: string,
  tokens: readonly Token[],
  pattern: readonly (readonly number[])[],
  at: number,
): HeatModel {
  return {
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

/** Heads answer with a row for each query; anything else is not a pattern. */
export function asPattern(activations: readonly (number | readonly number[])[]): (readonly number[])[] {
  return activations.flatMap((row) => (typeof row === "number" ? [] : [row]));
}

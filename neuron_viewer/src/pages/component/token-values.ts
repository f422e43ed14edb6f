/** What a component does on one text: a value for each token, or for a head a row for each token. */
import type { ActivationsResponse } from "@/api/types";
import { asPattern } from "@/components/heat-grid/pattern-model";
import { maxAbs, textHeat } from "@/lib/color";

import type { TokenHeat } from "./heat-editor";

export type TextResult = ActivationsResponse["results"][number];

/** Values of the tokens; for a head, where the token `from` attends. */
export function tokenValues({ activations }: TextResult, from: number): (number | null)[] {
  const pattern = asPattern(activations);
  if (pattern.length === 0) return activations.filter((value) => typeof value === "number");
  return pattern.map((_, key) => (key <= from ? (pattern[from]?.[key] ?? 0) : null));
}

/** Index of the strongest value; null when there is none. */
export function peakOf(values: readonly (number | null)[]): number | null {
  const size = maxAbs(values);
  const peak = values.findIndex((value) => value !== null && Math.abs(value) === size);
  return size > 0 && peak >= 0 ? peak : null;
}

/** The value drawn at full strength: 1 for attention, else the largest of all texts shown. */
export function sharedMaximum(isHead: boolean, results: readonly (TextResult | undefined)[]): number {
  if (isHead) return 1;
  return Math.max(...results.map((result) => (result ? maxAbs(tokenValues(result, 0)) : 0)));
}

export interface HeatOptions {
  values: readonly (number | null)[];
  maximum: number;
  /** The query token, where the values are attention. */
  from: number | null;
  pointed: number | null;
}

export function heatOf(token: number, { values, maximum, from, pointed }: HeatOptions): TokenHeat {
  const style = textHeat(values[token] ?? 0, maximum, from !== null);
  if (from !== null)
    return { style, mark: token === from ? "from" : token === peakOf(values) ? "peak" : undefined };
  return { style, mark: token === pointed ? "peak" : undefined };
}

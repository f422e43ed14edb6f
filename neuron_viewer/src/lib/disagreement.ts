/** Where a gradient's estimate and the measured effect part ways, on every page and in the CSV. */
import { formatEffect } from "./format";

/** In the objective's unit. `sign`: both beyond this before a differing sign counts. */
export const DISAGREEMENT = { sign: 0.05, share: 0.5, gap: 0.2 } as const;

export type Flag = "±" | "≠";

/** `±` when the signs differ, `≠` when the gap passes half of the larger value and 0.2, else null. */
export function flagOf(estimate: number, measured: number): Flag | null {
  const least = Math.min(Math.abs(estimate), Math.abs(measured));
  if (estimate * measured < 0 && least > DISAGREEMENT.sign) return "±";
  const larger = Math.max(Math.abs(estimate), Math.abs(measured));
  const gap = Math.abs(estimate - measured);
  return gap > DISAGREEMENT.gap && gap > DISAGREEMENT.share * larger ? "≠" : null;
}

export const FLAG_TITLE: Record<Flag, string> = {
  "±": "The signs differ.",
  "≠": "The estimate is far from the measured effect.",
};

/** Which way, by how much, and why an estimate can be that far off. */
export function flagSentence(estimate: number, measured: number): string {
  const size = (value: number) => formatEffect(Math.abs(value)).replace("+", "");
  const says = `The estimate says it ${estimate > 0 ? "raises" : "lowers"} the objective by ${size(estimate)}`;
  const found = `removing it ${measured > 0 ? "lowers" : "raises"} the objective by ${size(measured)}`;
  return `${says}; ${found}. The gradient is taken at full strength, and this effect is far from linear.`;
}

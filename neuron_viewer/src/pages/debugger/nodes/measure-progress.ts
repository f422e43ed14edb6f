/** How far measuring has come and how well the estimates did, for the panel's header. */

import { isZeroEffect } from "@/lib/format";

import { flagIn } from "./disagreement";
import { metricIn, type Measured } from "./metrics";
import { rankCorrelation } from "./rank-correlation";
import { measurableIn, type TableRow } from "./table-rows";

export type MeasureProgress = {
  done: number;
  total: number;
  /** Spearman's, of estimate with measured; null while there is too little. */
  correlation: number | null;
  disagree: number;
};

export function measureProgress(rows: readonly TableRow[], at: number, measured: Measured): MeasureProgress {
  const pairs: [number, number][] = [];
  let [total, disagree] = [0, 0];
  for (const row of rows) {
    if (measurableIn(row, at) === null) continue;
    total++;
    const estimate = metricIn(row, "total_effect", at, measured);
    const effect = metricIn(row, "measured_effect", at, measured);
    if (estimate === null || effect === null) continue;
    pairs.push([shownEffect(estimate), shownEffect(effect)]);
    if (flagIn(row, at, measured)) disagree++;
  }
  return { done: pairs.length, total, correlation: rankCorrelation(pairs), disagree };
}

/** What the table shows in quiet ink ties at 0: the order of rounding errors says nothing. */
function shownEffect(value: number): number {
  return isZeroEffect(value) ? 0 : value;
}

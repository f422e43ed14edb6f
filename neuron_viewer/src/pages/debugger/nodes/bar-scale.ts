/** One scale for all bars of the table, so that direct, estimated and measured effects compare along a row. */

import { barScale, maxAbs } from "@/lib/color";

import { metricIn, metricOn, type Measured, type Metric } from "./metrics";
import type { TableRow } from "./table-rows";

const STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];
/** Measured bars that may run past the end of the scale. */
const BROKEN = 3;

/** The next round number. */
export function roundUp(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return (STEPS.find((step) => step * power >= value * 0.999) ?? 10) * power;
}

/**
 * Set by direct and estimated effects, which are there from the start, so that bars hold still while measured
 * values arrive; wider only where more than a few of those would run past the end. Each row counts once, by its
 * larger effect: two outlying numbers of one row must not vouch for each other.
 */
export function tableScale(rows: readonly TableRow[], compare: boolean, measured: Measured): number {
  const read = (row: TableRow, metric: Metric) =>
    compare ? metricOn(row, metric, "diff", measured) : metricIn(row, metric, 0, measured);
  const estimates = rows.map((row) => maxAbs([read(row, "direct_effect"), read(row, "total_effect")]));
  const effects = rows.map((row) => Math.abs(read(row, "measured_effect") ?? 0)).sort((a, b) => b - a);
  return roundUp(Math.max(barScale(estimates), effects[BROKEN] ?? 0));
}

/** One scale for all bars of the table, so that direct, estimated and measured effects compare along a row. */

import { barScale, maxAbs } from "@/lib/color";

import { metricIn, metricOn, type Measured, type Metric } from "./metrics";
import type { TableRow } from "./table-rows";

const EFFECTS: readonly Metric[] = ["direct_effect", "total_effect", "measured_effect"];
const STEPS = [1, 1.2, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10];

/** The next round number, so that bars hold still while values arrive. */
export function roundUp(value: number): number {
  if (!(value > 0) || !Number.isFinite(value)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return (STEPS.find((step) => step * power >= value * 0.999) ?? 10) * power;
}

/** Each row counts once, by its largest effect: two outlying numbers of one row must not vouch for each other. */
export function tableScale(rows: readonly TableRow[], compare: boolean, measured: Measured): number {
  const largest = (row: TableRow) =>
    maxAbs(
      EFFECTS.map((metric) =>
        compare ? metricOn(row, metric, "diff", measured) : metricIn(row, metric, 0, measured),
      ),
    );
  return roundUp(barScale(rows.map(largest)));
}

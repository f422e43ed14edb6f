/** The flag of a row of the table. */
import { flagOf, type Flag } from "@/lib/disagreement";

import { metricIn, type Measured } from "./metrics";
import type { TableRow } from "./table-rows";

/** The flag of a row in one case; null where the two agree, or one of them is not known. */
export function flagIn(row: TableRow, at: number, measured: Measured): Flag | null {
  const estimate = metricIn(row, "total_effect", at, measured);
  const effect = metricIn(row, "measured_effect", at, measured);
  return estimate === null || effect === null ? null : flagOf(estimate, effect);
}

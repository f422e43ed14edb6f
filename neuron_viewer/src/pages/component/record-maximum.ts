import type { ComponentRecord } from "@/api/types";
import { maxAbs } from "@/lib/color";

/** The value drawn at full strength on everything of this component: its largest in the dataset, of either sign. */
export function recordMaximum({ statistics, exemplars }: Pick<ComponentRecord, "statistics" | "exemplars">): number {
  const known = maxAbs([statistics.min, statistics.max]);
  // A public record may lack its statistics.
  return known || maxAbs([...exemplars.top_positive, ...exemplars.top_negative].map(({ value }) => value));
}

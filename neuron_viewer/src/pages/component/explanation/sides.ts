/** The sides of a component that an explanation can be about. */
import type { ComponentRecord, Explanation } from "@/api/types";

export type Side = Explanation["side"];

export interface SideRecord {
  side: Side;
  /** The value furthest out on this side; null where nothing is known of it. */
  peak: number | null;
  /** Best score first; those without a score last. */
  explanations: readonly Explanation[];
}

/** Neurons have two sides; a head's writes and a latent's values are never negative. */
export function sidesOf(record: Pick<ComponentRecord, "statistics" | "explanations"> | null, isSigned: boolean): SideRecord[] {
  const sides: Side[] = isSigned ? ["positive", "negative"] : ["positive"];
  return sides.map((side) => ({
    side,
    peak: record && (side === "positive" ? record.statistics.max : record.statistics.min),
    explanations: ranked((record?.explanations ?? []).filter((one) => one.side === side)),
  }));
}

function ranked(explanations: readonly Explanation[]): Explanation[] {
  return [...explanations].sort((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity));
}

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
export function sidesOf(
  record: Pick<ComponentRecord, "statistics" | "explanations"> | null,
  isSigned: boolean,
  /** What is told where there is no record. */
  stored: readonly Explanation[] = [],
): SideRecord[] {
  const sides: Side[] = isSigned ? ["positive", "negative"] : ["positive"];
  return sides.map((side) => ({
    side,
    peak: record && (side === "positive" ? record.statistics.max : record.statistics.min),
    explanations: ranked((record?.explanations ?? stored).filter((one) => one.side === side)),
  }));
}

function ranked(explanations: readonly Explanation[]): Explanation[] {
  return [...explanations].sort((a, b) => (b.score ?? -Infinity) - (a.score ?? -Infinity));
}

/** How a new explanation compares with the best of those there were. */
export function verdict(
  { score }: Pick<Explanation, "score">,
  rivals: readonly Pick<Explanation, "score" | "text">[],
): string {
  const best = rivals.find((rival) => rival.score !== null);
  if (score === null) return "It has no score, so it cannot be compared.";
  if (!best || best.score === null) return "The first scored explanation of this side.";
  const gap = Math.abs(score - best.score).toFixed(2);
  if (gap === "0.00") return `As good as the best so far: ${best.text}`;
  return score > best.score
    ? `Better by ${gap} than the best so far: ${best.text}`
    : `${gap} below the best so far: ${best.text}`;
}

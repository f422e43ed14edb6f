/** What the random sets say about a concept, in words. */
import type { Cluster } from "@/api/types";

export type Verdict = { text: string; isWeak: boolean };

export function verdictOf(controls: Cluster["controls"]): Verdict | null {
  if (!controls || controls.effects.length === 0) return null;
  if (!controls.better_than_chance) return { text: "no better than chance", isWeak: true };
  return { text: `stronger than ${controls.stronger_than} of ${controls.effects.length}`, isWeak: false };
}

import type { CaseSpec, LensRequest, LensResponse } from "@/api/types";
import { maxAbs } from "@/lib/color";
import { visibleText } from "@/lib/format";
import { emptyCase } from "@/lib/question";

const TOKENS = 4;

/**
 * The lens of one case of a request; the other comes along where an intervention patches from it.
 * It reads out the prediction also while a node is traced.
 */
export function lensRequest(cases: readonly CaseSpec[], index: number): LensRequest {
  const [own, other] = [cases[index], cases[1 - index]].map((one) => one && { ...one, trace: null });
  const isPatched = own?.interventions.some(({ kind }) => kind === "patch");
  return { case: own ?? emptyCase(), n: TOKENS, other_case: (isPatched && other) || null };
}

/** The value at which a bar reaches the end of its half of the track. */
export function lensMaximum(lens: Pick<LensResponse, "layers">): number {
  return maxAbs(lens.layers.map(({ value }) => value)) || 1;
}

/** What the lens reads out, in few characters: `·Mary − ·John`. */
export function lensCaption({ target_tokens, distractor_tokens, objective }: CaseSpec): string {
  const names = [target_tokens[0], objective === "logit_diff" ? distractor_tokens[0] : undefined];
  return names.flatMap((text) => (text === undefined ? [] : [visibleText(text)])).join(" \u2212 ");
}

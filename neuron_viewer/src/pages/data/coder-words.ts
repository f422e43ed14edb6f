/** What is said of coders. */
import type { CoderCard, CoderJudgement } from "@/api/jobs";
import { formatCount } from "@/lib/format";

export const SITE_NAMES: Record<string, string> = {
  mlp_post_act: "MLP neurons",
  resid_delta_mlp: "MLP output",
  resid_delta_attn: "attention output",
  resid_pre: "residual, before the layer",
  resid_mid: "residual, before the MLP",
  resid_post: "residual, after the layer",
};

/** `0-3`, `0, 2`: runs of layers. */
export function layersText(layers: readonly number[]): string {
  const runs: [number, number][] = [];
  for (const layer of layers) {
    const last = runs.at(-1);
    if (last && last[1] === layer - 1) last[1] = layer;
    else runs.push([layer, layer]);
  }
  return runs.map(([first, last]) => (first === last ? String(first) : `${first}\u2013${last}`)).join(", ");
}

/** A figure's worst and best over the coders of a set: `0.93-0.97`; null where none is judged. */
export function rangeText(
  coders: readonly CoderCard[],
  figure: (judgement: CoderJudgement) => number,
  format: (value: number) => string,
): string | null {
  return spanText(coders.flatMap(({ judgement }) => (judgement ? [figure(judgement)] : [])), format);
}

/** The least and the largest, as one where they are written alike; null for none. */
export function spanText(values: readonly number[], format: (value: number) => string): string | null {
  if (values.length === 0) return null;
  const [low, high] = [format(Math.min(...values)), format(Math.max(...values))];
  return low === high ? low : `${low}\u2013${high}`;
}

export function sparsityText({ nonlinearity, k }: Pick<CoderCard, "nonlinearity" | "k">): string {
  const names: Record<string, string> = { relu: "ReLU", topk: "TopK", batchtopk: "BatchTopK", jumprelu: "JumpReLU" };
  return `${names[nonlinearity] ?? nonlinearity}${k === null ? "" : ` ${formatCount(k)}`}`;
}

export const ratio = (value: number) => value.toFixed(3);
export const percent = (value: number) => `${(value * 100).toFixed(1)}%`;

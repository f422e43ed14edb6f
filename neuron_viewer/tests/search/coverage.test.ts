import { expect, it } from "vitest";

import type { LayerCoverage } from "@/api/explanations";
import { explainersOf, groupName, hasSeveralCoders } from "@/pages/search/coverage";

function row(kind: LayerCoverage["kind"], layer: number, explainer: string, stream: LayerCoverage["stream"] = null): LayerCoverage {
  return { kind, layer, explainer, stream, coder: null, n_components: 4, n_explained: 2, n_scored: 1, mean_score: 0.5, histogram: [] };
}

it("gathers the layers of each explainer, in order of kind and layer", () => {
  const tables = explainersOf([row("mlp", 10, "a"), row("mlp", 2, "a"), row("mlp", 2, "b"), row("attn", 0, "a")]);
  expect(tables.map(([explainer, rows]) => [explainer, rows.map(groupName)])).toEqual([
    ["a", ["attn_L0", "mlp_L2", "mlp_L10"]],
    ["b", ["mlp_L2"]],
  ]);
});

it("names the latents of a coder by their stream", () => {
  expect(groupName(row("latent", 3, "a", "attn"))).toBe("attn_ae_L3");
});

it("tells apart the latents of several coders of one stream, and only those", () => {
  const of = (coder: string | null, stream: LayerCoverage["stream"]) => ({ ...row("latent", 0, "a", stream), coder });
  expect(hasSeveralCoders([row("mlp", 0, "a"), of("m", "mlp"), of("m", "mlp"), of("a", "attn")])).toBe(false);
  expect(hasSeveralCoders([of("m", "mlp"), of("wide", "mlp")])).toBe(true);
  const [[, rows = []] = []] = explainersOf([of("wide", "mlp"), of("m", "mlp")]);
  expect(rows.map(({ coder }) => coder)).toEqual(["m", "wide"]);
});

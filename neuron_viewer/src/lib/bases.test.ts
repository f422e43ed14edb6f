import { describe, expect, it } from "vitest";

import { basisOptions, coderOf, streamOf, sublayerOf, withBasis } from "./bases";
import { parseComponent } from "./node";
import { emptyCase, emptyQuestion } from "./question";

const coders = [
  { name: "demo-mlp", site: "resid_delta_mlp", layers: [0, 1], n_latents: 512, n_latents_by_layer: [512, 512] },
  { name: "deep", site: "mlp_post_act", layers: [2], n_latents: 64, n_latents_by_layer: [64] },
  { name: "demo-attn", site: "resid_delta_attn", layers: [0], n_latents: 256, n_latents_by_layer: [256] },
  { name: "stream", site: "resid_post", layers: [1], n_latents: 128, n_latents_by_layer: [128] },
];
const component = (name: string) => parseComponent(name) ?? { stream: null, layer: null, kind: "embed" as const };

describe("bases", () => {
  it("are offered by what a coder describes", () => {
    expect(coders.map(({ site }) => streamOf(site))).toEqual(["mlp", "mlp", "attn", "resid"]);
    expect(basisOptions(coders).mlp.map(({ value }) => value)).toEqual(["neuron", "demo-mlp", "deep"]);
    expect(basisOptions(coders).attn.map(({ value }) => value)).toEqual(["head", "demo-attn"]);
    expect(basisOptions(coders).resid.map(({ value }) => value)).toEqual(["", "stream"]);
    expect(basisOptions([]).mlp).toHaveLength(1);
  });

  it("know the coder of a latent, by its stream and layer", () => {
    expect(coderOf(component("mlp_ae_L1_7"), coders)?.name).toBe("demo-mlp");
    expect(coderOf(component("mlp_ae_error_L2"), coders)?.name).toBe("deep");
    expect(coderOf(component("resid_ae_L9_7"), coders)?.name).toBe("stream");
    expect(coderOf(component("attn_L1_7"), coders)).toBeUndefined();
  });

  it("know the half of the layer that something writes through", () => {
    const names = ["attn_L0_1", "mlp_L0_1", "attn_ae_L0_1", "mlp_ae_error_L0", "resid_ae_L0_1", "embed"];
    expect(names.map((name) => sublayerOf(component(name)))).toEqual(["attn", "mlp", "attn", "mlp", null, null]);
  });
});

describe("another basis", () => {
  const ablate = (name: string) => ({
    kind: "ablate" as const,
    component: name,
    positions: null,
    key_positions: null,
    value: "zero" as const,
  });
  const trace = (node: string) => ({ node, through: null, otherNode: null });
  const question = {
    ...emptyQuestion({
      ...emptyCase("a"),
      interventions: ["mlp_ae_L1_7", "mlp_L1_7", "attn_ae_L0_1", "mlp_ae_error_L1"].map(ablate),
    }),
    mlp_basis: "demo-mlp",
    traces: ["attn_ae_L0_1@2", "mlp_ae_L1_7@1", "mlp_L0_3@1"].map(trace),
  };

  it("takes the old coder's latents away, and what was traced through them", () => {
    const next = withBasis(question, "mlp", "neuron");
    expect(next.mlp_basis).toBe("neuron");
    expect(next.left.interventions.map((edit) => edit.component)).toEqual(["mlp_L1_7", "attn_ae_L0_1"]);
    expect(next.traces.map(({ node }) => node)).toEqual(["attn_ae_L0_1@2"]);
  });

  it("lists latents of the residual stream, or none", () => {
    expect(withBasis(question, "resid", "stream").resid_basis).toBe("stream");
    expect(withBasis(question, "resid", "").resid_basis).toBeNull();
  });

  it("leaves the other stream alone", () => {
    const next = withBasis(question, "attn", "head");
    expect(next.mlp_basis).toBe("demo-mlp");
    expect(next.left.interventions).toHaveLength(3);
    expect(next.traces).toEqual([]);
  });
});

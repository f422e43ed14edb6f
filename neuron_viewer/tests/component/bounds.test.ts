import type { Component } from "@/lib/node";
import { describe, expect, it } from "vitest";

import { describeComponent, findComponent, neighbours } from "@/pages/component/bounds";

const model = {
  n_layers: 30,
  n_heads: 9,
  d_mlp: 1536,
  coders: [{ name: "sae", site: "mlp_post_act", layers: [3, 7], n_latents: 4096, n_latents_by_layer: [512, 4096] }],
};

function component(name: string): Component {
  const found = findComponent(name, model);
  if ("problem" in found) throw new Error(found.problem);
  return found.component;
}

function problem(name: string): string {
  const found = findComponent(name, model);
  return "problem" in found ? found.problem : "";
}

describe("findComponent", () => {
  it("finds what the model has", () => {
    expect(component(" attn_L29_8 ").name).toBe("attn_L29_8");
    expect(component("mlp_L0_1535").index).toBe(1535);
    expect(component("mlp_ae_L7_4095").kind).toBe("latent");
    expect(component("mlp_ae_error_L3").kind).toBe("error");
    expect(component("embed").kind).toBe("embed");
  });

  it("gives it its own name", () => {
    expect(component("mlp_L03_0117").name).toBe("mlp_L3_117");
    expect(component("mlp_ae_error_L07").name).toBe("mlp_ae_error_L7");
  });

  it("says which names, layers and indices there are", () => {
    expect(problem("attn L9")).toContain("attn_L9_9");
    expect(problem("attn_L30_0")).toBe("Heads are in layers 0–29; there is no layer 30.");
    expect(problem("attn_L3_9")).toBe("Layer 3 has heads 0–8; there is no 9.");
    expect(problem("mlp_L3_1536")).toBe("Layer 3 has neurons 0–1,535; there is no 1536.");
    expect(problem("mlp_ae_L3_512")).toBe("Layer 3 has latents 0–511; there is no 512.");
    expect(problem("bias")).toContain("the same at every token");
    expect(problem("resid_ae_L3_0")).toContain("no layer of this model");
    expect(problem("mlp_ae_error_L4")).toBe("Coder errors are in layers 3–7; there is no layer 4.");
  });
});

it("says where a component stands", () => {
  expect(describeComponent(component("mlp_L26_1262"), model)).toBe(
    "neuron 1,262 of 0–1,535 in layer 26 of 0–29",
  );
  expect(describeComponent(component("mlp_ae_L3_5"), model)).toBe("latent 5 of 0–511 in layer 3 of 3–7");
  expect(describeComponent(component("mlp_ae_error_L3"), model)).toBe("what sae misses in layer 3 of 3–7");
  expect(describeComponent(component("embed"), model)).toContain("embeddings");
});

describe("neighbours", () => {
  const names = (name: string) =>
    Object.values(neighbours(component(name), model)).map((found) => found?.name ?? null);
  it("are the next by index and by layer", () => {
    expect(names("attn_L3_4")).toEqual(["attn_L3_3", "attn_L3_5", "attn_L2_4", "attn_L4_4"]);
  });

  it("stop at the ends", () => {
    expect(names("attn_L0_0")).toEqual([null, "attn_L0_1", null, "attn_L1_0"]);
    expect(names("attn_L29_8")).toEqual(["attn_L29_7", null, "attn_L28_8", null]);
  });

  it("go to the coder's own layers", () => {
    expect(names("mlp_ae_L3_0")).toEqual([null, "mlp_ae_L3_1", null, "mlp_ae_L7_0"]);
    expect(names("mlp_ae_L3_511")).toEqual(["mlp_ae_L3_510", null, null, "mlp_ae_L7_511"]);
    expect(names("mlp_ae_L7_512")).toEqual(["mlp_ae_L7_511", "mlp_ae_L7_513", null, null]);
    expect(names("mlp_ae_error_L7")).toEqual([null, null, "mlp_ae_error_L3", null]);
  });

  it("are none for the embeddings", () => {
    expect(names("embed")).toEqual([null, null, null, null]);
  });
});

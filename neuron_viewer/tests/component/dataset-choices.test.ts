import { expect, it } from "vitest";

import type { DatasetInfo, ModelResponse } from "@/api/types";
import { parseComponent, type Component } from "@/lib/node";
import { datasetChoices } from "@/pages/component/dataset-choices";

const GROUPS = [
  { name: "mlp_L3", kind: "mlp", layer: 3, stream: null, coder: null, n_components: 200 },
  { name: "mlp_ae_L3", kind: "latent", layer: 3, stream: "mlp", coder: "small", n_components: 50 },
] satisfies DatasetInfo["groups"];

const dataset = (name: string, changes: Partial<DatasetInfo> = {}) =>
  ({ name, n_tokens: 1000, description: "A text.", caveats: [], groups: GROUPS, ...changes }) as DatasetInfo;
const coder = (name: string) =>
  ({ name, site: "resid_delta_mlp", layers: [3], n_latents: 50, n_latents_by_layer: [50] }) as ModelResponse["coders"][number];

const MODEL = {
  coders: [coder("small"), coder("large")],
  datasets: [
    dataset("heads", { groups: [{ name: "attn_L3", kind: "attn", layer: 3, stream: null, coder: null, n_components: 4 }] }),
    dataset("public", { n_tokens: null, caveats: ["Another GELU.", "Excerpts only."] }),
    dataset("mine"),
  ],
};

function choices(name: string, wanted: string | null = null, asked: string | null = null) {
  return datasetChoices(parseComponent(name) as Component, MODEL, wanted, asked).map(({ text, isHeld }) => [text, isHeld]);
}

it("offers those that hold a neuron first, in the server's order, and says what is wrong with each", () => {
  expect(choices("mlp_L3_117")).toEqual([
    ["public, public excerpts, 2 caveats", true],
    ["mine, 1,000 tokens", true],
    ["heads, without this kind", false],
  ]);
  expect(datasetChoices(parseComponent("mlp_L3_117") as Component, MODEL, null, null)[0]?.about).toBe(
    "A text.\nAnother GELU.\nExcerpts only.",
  );
});

it("knows layers, indices, and whose latents they are", () => {
  expect(choices("mlp_L2_117")[2]).toEqual(["mine, without this layer", false]);
  expect(choices("mlp_L3_200")[2]).toEqual(["mine, without this index", false]);
  expect(choices("mlp_ae_L3_7").filter(([, isHeld]) => isHeld)).toHaveLength(2);
  expect(choices("mlp_ae_L3_7", "large")[2]).toEqual(["mine, latents of small", false]);
});

it("lists a dataset that is asked for and not served", () => {
  expect(choices("mlp_L3_117", null, "gone").at(-1)).toEqual(["gone, not served", false]);
});

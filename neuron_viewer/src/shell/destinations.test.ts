import { expect, it } from "vitest";

import type { ModelResponse } from "@/api/types";

import fixture from "../../tests/fixtures/model.json";
import { destinations } from "./destinations";

const model = {
  ...fixture,
  coders: [{ name: "small", site: "resid_delta_mlp", layers: [1, 2], n_latents: 40, n_latents_by_layer: [40, 12] }],
} as unknown as ModelResponse;

const names = (text: string) => destinations(text, model).map(({ name }) => name);

it("offers an example of each kind that the model has, behind the pages", () => {
  expect(names("").slice(-3)).toEqual(["attn_L0_0", "mlp_L0_0", "mlp_ae_L1_0"]);
  expect(destinations("", model).at(-1)?.note).toBe("latent of small: layers 1\u20132, 0\u201339");
  expect(names("neur")).toEqual(["mlp_L0_0"]);
  expect(names("latents")).toEqual(["mlp_ae_L1_0"]);
});

it("completes what is typed, within the model", () => {
  expect(names("mlp")).toEqual(["mlp_L0_0", "mlp_ae_L1_0"]);
  expect(names("attn_L2")).toEqual(["attn_L2_0", ...Array.from({ length: 7 }, (_, i) => `attn_L2${i}_0`)]);
  expect(names("mlp_L3_11")).toEqual(["mlp_L3_11", ...Array.from({ length: 7 }, (_, i) => `mlp_L3_11${i}`)]);
  expect(names("mlp_ae_l2_1")).toEqual(["mlp_ae_L2_1", "mlp_ae_L2_10", "mlp_ae_L2_11"]);
  expect(names("mlp_ae_L3_1")).toEqual([]);
});

it.each([
  ["attn_L9_8", "/component/attn_L9_8"],
  ["attn_l9_8@13:1", "/component/attn_L9_8"],
  ["mlp 3.117", "/component/mlp_L3_117"],
  ["self", "/self-check"],
])("%s leads to %s", (text, to) => {
  expect(destinations(text, model)[0]?.to).toBe(to);
});

it("knows what the model does not have", () => {
  expect(destinations("attn_L9_9", model)).toEqual([]);
  expect(destinations("attn_L30_0", model)).toEqual([]);
});

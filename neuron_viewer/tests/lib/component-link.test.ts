import { expect, it } from "vitest";

import { activationsQuery, componentRecordQuery, componentTokensQuery, similarQuery } from "@/api/queries";
import { askedCoder, basesFor, basisCoder, componentPath } from "@/lib/component-link";
import { emptyQuestion, toRequest } from "@/lib/question";

const coders = [
  { name: "first", site: "resid_delta_mlp", layers: [0, 1] },
  { name: "other", site: "mlp_post_act", layers: [0, 1, 2] },
  { name: "heads", site: "resid_delta_attn", layers: [0] },
];
const coderIn = (name: string, search: string) =>
  new URLSearchParams(componentPath(name, search, coders).search).get("coder");

it("names a coder only where it is not the first of the stream", () => {
  expect(askedCoder("mlp_ae_L1_3", coders, null)).toBeNull();
  expect(askedCoder("mlp_ae_L1_3", coders, "first")).toBeNull();
  expect(askedCoder("mlp_ae_L1_3", coders, "other")).toBe("other");
  expect(askedCoder("attn_ae_L0_3", coders, "other")).toBeNull();
  expect(askedCoder("mlp_L1_3", coders, "other")).toBeNull();
});

it("names the coder that alone has the layer", () => {
  expect(askedCoder("mlp_ae_L2_3", coders, null)).toBe("other");
});

it("leads to the latent of the question's basis, and keeps the question", () => {
  expect(coderIn("mlp_ae_L1_3", "?p=a&mlp=other")).toBe("other");
  expect(coderIn("mlp_ae_error_L1", "?p=a&mlp=other")).toBe("other");
  expect(coderIn("mlp_ae_L1_3", "?p=a&mlp=first")).toBeNull();
  expect(coderIn("attn_ae_L0_3", "?p=a&mlp=other")).toBeNull();
  expect(componentPath("mlp_ae_L1_3", "?p=a&mlp=other", coders)).toEqual({
    pathname: "/component/mlp_ae_L1_3",
    search: "p=a&mlp=other&coder=other",
  });
});

it("stays with the coder of the page, also on the way over a neuron", () => {
  expect(coderIn("mlp_ae_L1_3", "?coder=other&mlp=first")).toBe("other");
  expect(coderIn("mlp_L1_3", "?coder=other")).toBe("other");
});

it("finds the coder of a row's latent", () => {
  const request = { ...toRequest(emptyQuestion()), mlp_basis: "other", attention_basis: "heads" };
  expect(basisCoder("mlp_ae_L1_3", request, coders)).toBe("other");
  expect(basisCoder("attn_ae_L0_3", request, coders)).toBeNull();
  expect(basisCoder("attn_L0_3", request, coders)).toBeNull();
});

it("measures a latent in the basis of its coder", () => {
  const own = { mlp_basis: "neuron", attention_basis: "head", resid_basis: null };
  expect(basesFor("mlp_L1_3", coders, "other")).toEqual(own);
  expect(basesFor("mlp_ae_L1_3", coders, "other")).toEqual({ ...own, mlp_basis: "other" });
  expect(basesFor("attn_ae_L0_3", coders, "other")).toEqual({ ...own, attention_basis: "heads" });
});

it("does not take one coder's answer for another's", () => {
  for (const query of [
    (coder: string | null) => activationsQuery("mlp_ae_L1_3", ["a"], coder).queryKey,
    (coder: string | null) => componentTokensQuery("mlp_ae_L1_3", coder).queryKey,
    (coder: string | null) => componentRecordQuery("mlp_ae_L1_3", null, coder).queryKey,
    (coder: string | null) => similarQuery("mlp_ae_L1_3", "output", 8, coder).queryKey,
  ]) {
    expect(query("other")).not.toEqual(query(null));
  }
});

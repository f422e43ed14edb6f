import { expect, it } from "vitest";

import { ablationRequest, changeOf } from "@/pages/component/ablation-readout";

const MODEL_OWN = { mlp_basis: "neuron", attention_basis: "head", resid_basis: null };

it("asks the token before for the probability of this one", () => {
  const request = ablationRequest("mlp_L3_1", "A b c", " c", 2, MODEL_OWN);
  expect(request.case).toMatchObject({
    prompt: "A b c",
    target_tokens: [" c"],
    objective: "prob",
    position: 1,
  });
  expect(request.nodes).toEqual(["mlp_L3_1"]);
});

it("reads a positive effect as a fall without the component", () => {
  expect(changeOf({ objective: 0.156, effects: [{ node: "mlp_L3_1", measured_effect: 0.037 }] })).toEqual({
    before: 0.156,
    after: expect.closeTo(0.119) as number,
  });
  expect(changeOf({ objective: 0.1, effects: [] })).toBeNull();
});

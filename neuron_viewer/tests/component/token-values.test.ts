import { expect, it } from "vitest";

import { heatOf, peakOf, sharedMaximum, tokenValues } from "@/pages/component/token-values";

const tokens = ["a", "b"].map((text, id) => ({ text, id }));
const neuron = { tokens, activations: [0.5, -2] };
const head = {
  tokens,
  activations: [
    [1, 0],
    [0.3, 0.7],
  ],
};

it("takes a head's values from the row of one token, and nothing ahead of it", () => {
  expect(tokenValues(head, 0)).toEqual([1, null]);
  expect(tokenValues(head, 1)).toEqual([0.3, 0.7]);
  expect(tokenValues(neuron, 0)).toEqual([0.5, -2]);
});

it("scales attention to 1 and neurons to the largest value shown", () => {
  expect(sharedMaximum(true, [head])).toBe(1);
  expect(sharedMaximum(false, [neuron, undefined])).toBe(2);
});

it("outlines the strongest and underlines the token that attends", () => {
  const values = tokenValues(head, 1);
  const options = { values, maximum: 1, from: 1, pointed: null };
  expect(peakOf(values)).toBe(1);
  expect(heatOf(1, options).mark).toBe("from");
  expect(heatOf(0, options).mark).toBeUndefined();
  expect(peakOf([0, null])).toBeNull();
});

import { expect, it } from "vitest";

import model from "../../tests/fixtures/model.json";
import { destinations } from "./destinations";

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

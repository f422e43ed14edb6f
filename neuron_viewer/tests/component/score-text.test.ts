import { expect, it } from "vitest";

import { scoreText } from "@/components/score-bar";

it.each([
  [0.613, "0.61"],
  [-0.02, "\u22120.02"],
  [-0.004, "0.00"],
  [0, "0.00"],
])("writes the score %s as %s", (score, text) => {
  expect(scoreText(score)).toBe(text);
});

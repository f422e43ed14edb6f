import { expect, it } from "vitest";

import { changeAt } from "@/pages/component/exemplars/excerpt-ablation";

const token = (text: string) => ({ id: 0, text });
const answer = {
  tokens: ["<s>", "a", " b", " c"].map(token),
  at_token: [0.1, 0.2, 0.3, null],
  everywhere: [0.4, 0.5, 0.6, null],
};

it("reads a token's change at the token before it, behind a start mark too", () => {
  expect(changeAt(answer, ["a", " b", " c"], 2)).toEqual({ there: 0.3, everywhere: 0.6 });
  expect(changeAt({ ...answer, tokens: answer.tokens.slice(1) }, ["a", " b", " c"], 1)).toEqual({
    there: 0.1,
    everywhere: 0.4,
  });
});

it("gives nothing where the text is cut into other tokens", () => {
  expect(changeAt(answer, ["a", " bc"], 1)).toBeNull();
  expect(changeAt(answer, ["a", " x", " c"], 2)).toBeNull();
});

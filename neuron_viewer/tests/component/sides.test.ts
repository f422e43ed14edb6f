import { expect, it } from "vitest";

import type { Explanation } from "@/api/types";
import { sidesOf, verdict } from "@/pages/component/explanation/sides";

import { record } from "./records";

function explanation(text: string, side: Explanation["side"], score: number | null): Explanation {
  return { id: text, text, side, score, scores: {}, measures: {}, explainer: "lookup", created: "2026-01-01" };
}

const explained = record({
  explanations: [
    explanation("unscored", "positive", null),
    explanation("fair", "positive", 0.2),
    explanation("best", "positive", 0.7),
    explanation("other side", "negative", 0.1),
  ],
});

it("puts each explanation on its side, the best first and the unscored last", () => {
  const [positive, negative] = sidesOf(explained, true);
  expect(positive?.explanations.map(({ text }) => text)).toEqual(["best", "fair", "unscored"]);
  expect(negative?.explanations.map(({ text }) => text)).toEqual(["other side"]);
  expect([positive?.peak, negative?.peak]).toEqual([4, -2]);
});

it("knows one side of what is never negative, and both before anything has loaded", () => {
  expect(sidesOf(explained, false)).toHaveLength(1);
  expect(sidesOf(null, true).map(({ peak }) => peak)).toEqual([null, null]);
});

it("says how a new explanation compares with the best scored one", () => {
  const rivals = sidesOf(explained, true)[0]?.explanations ?? [];
  expect(verdict({ score: 0.8 }, rivals)).toBe("Better by 0.10 than the best so far: best");
  expect(verdict({ score: 0.5 }, rivals)).toBe("0.20 below the best so far: best");
  expect(verdict({ score: 0.701 }, rivals)).toBe("As good as the best so far: best");
  expect(verdict({ score: null }, rivals)).toContain("cannot be compared");
  expect(verdict({ score: 0.1 }, [])).toContain("first scored");
});

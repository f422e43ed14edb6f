import { expect, it } from "vitest";

import type { SearchHit } from "@/api/explanations";
import { mergeHits } from "@/pages/search/merge-hits";

const hit = (component: string, side: "positive" | "negative", text: string | null, value: number) =>
  ({ component, side, explanation: text === null ? null : { id: text, text }, value }) as SearchHit;

it("makes one row of a side that several explanations found, where its best stands", () => {
  const rows = mergeHits([
    hit("mlp_L1_1", "positive", "days", 0.9),
    hit("mlp_L1_1", "negative", "years", 0.8),
    hit("mlp_L1_2", "positive", null, 0.7),
    hit("mlp_L1_1", "positive", "weeks", 0.6),
  ]);
  expect(rows.map(({ component, side, value }) => [component, side, value])).toEqual([
    ["mlp_L1_1", "positive", 0.9],
    ["mlp_L1_1", "negative", 0.8],
    ["mlp_L1_2", "positive", 0.7],
  ]);
  expect(rows.map(({ others }) => others.map(({ text }) => text))).toEqual([["weeks"], [], []]);
});

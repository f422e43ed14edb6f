import { describe, expect, it } from "vitest";

import type { InfluenceItem } from "@/api/types";
import { shownItems } from "@/pages/monitor/components/components-panel";
import { DEFAULT_LISTING } from "@/pages/monitor/monitor-state";

const item = (node: string, explanation: string | null, explanation_score: number | null) =>
  ({ node, explanation, explanation_score }) as InfluenceItem;

const items = [item("mlp_L0_1@2", "days of the week", 0.7), item("mlp_L1_4@2", "colours", 0.3), item("attn_L2_0@3:1", null, null)];
const names = (listing: Partial<typeof DEFAULT_LISTING>) =>
  shownItems({ items }, { ...DEFAULT_LISTING, ...listing }).map(({ node }) => node);

describe("the components that are shown", () => {
  it("are all of them without a filter", () => {
    expect(names({})).toEqual(items.map(({ node }) => node));
  });

  it("hold the text in their name or explanation", () => {
    expect(names({ text: " DAYS " })).toEqual(["mlp_L0_1@2"]);
    expect(names({ text: "attn_" })).toEqual(["attn_L2_0@3:1"]);
  });

  it("have an explanation with at least that score, where one is asked for", () => {
    expect(names({ minScore: 0.3 })).toEqual(["mlp_L0_1@2", "mlp_L1_4@2"]);
    expect(names({ minScore: 0.3, text: "colour" })).toEqual(["mlp_L1_4@2"]);
    expect(names({ minScore: 0.8 })).toEqual([]);
  });
});

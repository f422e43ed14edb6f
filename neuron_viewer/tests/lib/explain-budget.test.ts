import { describe, expect, it } from "vitest";

import { budgetOf, roughly } from "@/lib/explain-budget";

describe("what an explain job may take", () => {
  it("is half as much again as the estimate, in two figures, and never nothing", () => {
    expect(budgetOf({ n_tokens: 10_000 })).toBe(15_000);
    expect(budgetOf({ n_tokens: 12_345 })).toBe(19_000);
    expect(budgetOf({ n_tokens: 0 })).toBe(1000);
  });

  it("is told in two figures, rather too much than too little", () => {
    expect([0, 7, 99, 101, 12_001, 9_999_999].map(roughly)).toEqual([0, 7, 99, 110, 13_000, 10_000_000]);
  });
});

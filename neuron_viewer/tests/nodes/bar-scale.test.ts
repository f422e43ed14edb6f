import { describe, expect, it } from "vitest";

import { roundUp, tableScale } from "@/pages/debugger/nodes/bar-scale";

import { pair, row } from "./rows";

const rows = [3, 2.5, 2, 1].map((total, layer) => row(`mlp_L${layer}_0@1`, total));

describe("the bars' scale", () => {
  it("is the largest effect, rounded up", () => {
    expect(tableScale(rows, false, [new Map()])).toBe(3);
    expect(roundUp(2.89)).toBe(3);
    expect(roundUp(0.041)).toBeCloseTo(0.05);
    expect(roundUp(0)).toBe(1);
  });

  it("leaves out what is beyond three times the fourth largest", () => {
    expect(tableScale([...rows, row("embed@1", 80)], false, [new Map()])).toBe(3);
  });

  it("holds still for a few large measured effects, and gives way to many", () => {
    const measured = (n: number) => [new Map(rows.slice(0, n).map(({ node }) => [node, 8] as const))];
    expect(tableScale(rows, false, measured(3))).toBe(3);
    expect(tableScale(rows, false, measured(4))).toBe(8);
  });

  it("is of the differences where two cases are compared", () => {
    expect(
      tableScale([pair("mlp_L1_0@1", 3, 2.5), pair("mlp_L2_0@1", 1, null)], true, [new Map(), new Map()]),
    ).toBe(0.5);
  });
});

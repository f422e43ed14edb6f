import { describe, expect, it } from "vitest";

import { alignColumns } from "@/pages/debugger/rail/alignment";
import { cellNodes, cellOfNode, effectOf } from "@/pages/debugger/rail/cell-nodes";
import { effectMap } from "@/pages/debugger/rail/effect-map";

import { caseOf, nodeRow } from "./cases";

const nodes = [
  nodeRow("attn_L1_0@2:1", [0.5]),
  nodeRow("attn_L1_1@2:0", [-2]),
  nodeRow("mlp_L1_7@2", [1]),
  nodeRow("mlp_L0_7@2", [9]),
  nodeRow("embed@2", [3]),
];
const cases = [caseOf(["a", "b", "c"])];
const [, second, third] = alignColumns(cases);

function names(row: Parameters<typeof cellNodes>[1], column = third, part: "both" | "attn" | "mlp" = "both") {
  return column ? cellNodes(nodes, row, column, part).map(({ node }) => node) : [];
}

describe("cellNodes", () => {
  it("lists a layer's nodes at a token, strongest first whatever the sign", () => {
    expect(names({ layer: 1 })).toEqual(["attn_L1_1@2:0", "mlp_L1_7@2", "attn_L1_0@2:1"]);
    expect(names({ layer: 1 }, third, "mlp")).toEqual(["mlp_L1_7@2"]);
  });

  it("knows a strip's own kind, and finds what is attended to by its key", () => {
    expect(names({ strip: "embed" })).toEqual(["embed@2"]);
    expect(names({ strip: "attn_to" }, second)).toEqual(["attn_L1_0@2:1"]);
    expect(names({ strip: "attn_from" }, second)).toEqual([]);
  });

  it("compares by the difference, where a missing side counts as nothing", () => {
    expect(effectOf(nodeRow("embed@0", [1, 3]))).toBe(-2);
    expect(effectOf(nodeRow("embed@0", [null, 3]))).toBe(-3);
  });
});

describe("cellOfNode", () => {
  const map = effectMap(cases, "both");
  it("finds listed and other nodes", () => {
    expect(cellOfNode("mlp_L0_7@2", nodes, map)).toEqual({ row: 5, column: 2 });
    expect(cellOfNode("attn_L1_5@1:0", nodes, map)).toEqual({ row: 4, column: 1 });
    expect(cellOfNode("embed@2", nodes, map)).toEqual({ row: 0, column: 2 });
  });

  it("has none for what is not on the map", () => {
    expect(cellOfNode(null, nodes, map)).toBeNull();
    expect(cellOfNode("bias", nodes, map)).toBeNull();
    expect(cellOfNode("mlp_L77_0@0", nodes, map)).toBeNull();
    expect(cellOfNode("nonsense", nodes, map)).toBeNull();
  });
});

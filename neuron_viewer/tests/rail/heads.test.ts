import { describe, expect, it } from "vitest";

import { asPattern, patternModel } from "@/components/heat-grid/pattern-model";
import { headOf, leadingHeads, nodeInCase, pairOf, rowOfNode } from "@/pages/debugger/rail/heads";

import { nodeRow } from "./cases";

const model = { n_layers: 12, n_heads: 4 };

describe("headOf", () => {
  it("reads heads of nodes and components, within the model", () => {
    expect(headOf("attn_L9_3@13:1", model)).toEqual({ layer: 9, index: 3 });
    expect(headOf("attn_L9_3", model)).toEqual({ layer: 9, index: 3 });
    expect(headOf("attn_L9_4", model)).toBeNull();
    expect(headOf("attn_L12_0", model)).toBeNull();
    expect(headOf("mlp_L3_1@2", model)).toBeNull();
    expect(headOf(null, model)).toBeNull();
  });
});

it("orders the heads of the table by effect, each once", () => {
  const nodes = [
    nodeRow("attn_L0_0@1:0", [1]),
    nodeRow("attn_L5_1@2:1", [-4]),
    nodeRow("attn_L5_1@2:0", [2]),
  ];
  expect(leadingHeads(nodes)).toEqual(["attn_L5_1", "attn_L0_0"]);
});

it("reads the pair of its own head only", () => {
  expect(pairOf("attn_L9_3@13:1", "attn_L9_3")).toEqual({ query: 13, key: 1 });
  expect(pairOf("attn_L9_3@13:1", "attn_L9_2")).toBeNull();
  expect(pairOf(null, "attn_L9_2")).toBeNull();
});

it("names a node as each case counts its tokens", () => {
  const nodes = [nodeRow("attn_L1_0@3:1", [1, 1], { case_nodes: ["attn_L1_0@3:1", "attn_L1_0@5:3"] })];
  expect(nodeInCase(nodes, "attn_L1_0@3:1", 1)).toBe("attn_L1_0@5:3");
  expect(rowOfNode(nodes, "attn_L1_0@5:3", 1)).toBe("attn_L1_0@3:1");
  expect(rowOfNode(nodes, "attn_L1_0@4:3", 1)).toBe("attn_L1_0@4:3");
});

describe("patternModel", () => {
  const tokens = ["a", "b"].map((text) => ({ text, id: 0 }));
  it("leaves the upper triangle empty", () => {
    const { rows, home } = patternModel(
      "attn_L0_0",
      tokens,
      asPattern([
        [1, 0],
        [0.4, 0.6],
      ]),
      1,
    );
    expect(rows.map(({ values }) => values)).toEqual([
      [1, null],
      [0.4, 0.6],
    ]);
    expect(home).toEqual({ row: 1, column: 1 });
  });

  it("starts at the selected pair", () => {
    const pattern = asPattern([
      [1, 0],
      [0.4, 0.6],
    ]);
    expect(patternModel("attn_L0_0", tokens, pattern, 1, { query: 1, key: 0 }).home).toEqual({
      row: 1,
      column: 0,
    });
    expect(patternModel("attn_L0_0", tokens, pattern, 9).home).toBeUndefined();
  });
});

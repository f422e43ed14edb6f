import { describe, expect, it } from "vitest";

import { emptyCase, emptyQuestion, isComparison, type Question, toRequest } from "./question";
import { DEFAULT_UI, type DebugUiState, readQuestion, readUi, writeState } from "./url-state";

const plain: Question = emptyQuestion({
  ...emptyCase("When Mary & John\n+ 100% \u00e9\u{1f600} went to"),
  target_tokens: [" Mary", " ="],
  distractor_tokens: [" John"],
});
const full: Question = {
  left: {
    ...plain.left,
    objective: "prob",
    position: 3,
    interventions: [
      { kind: "ablate", component: "attn_L9_9", positions: [13, 14], key_positions: [1], value: "zero" },
      { kind: "ablate", component: "mlp_L3_1", positions: null, key_positions: null, value: "mean" },
      { kind: "set", component: "mlp_L3_1", positions: [-1], key_positions: null, value: -0.25 },
      { kind: "scale", component: "mlp_ae_L3_1", positions: null, key_positions: null, value: 1e-7 },
      {
        kind: "patch",
        component: "attn_L2_0",
        positions: [2],
        key_positions: null,
        from_case: 1,
        from_positions: [3],
      },
      {
        kind: "steer",
        component: "mlp_L0_1",
        positions: null,
        key_positions: null,
        strength: 4,
        method: "add",
        side: "negative",
      },
    ],
  },
  right: { ...emptyCase(""), target_tokens: [" Bob"] },
  traces: [
    { node: "attn_L23_3@13:9", through: "query", otherNode: null },
    { node: "mlp_L20_426@13", through: null, otherNode: null },
    { node: "attn_L3_3@3:1", through: "value", otherNode: "attn_L3_3@4:2" },
    { node: "mlp_L1_4@3", through: null, otherNode: "mlp_L1_4@4" },
  ],
  mlp_basis: "ae",
  attention_basis: "z",
  resid_basis: "r",
  top_k: 50,
  read_out_norm: "live",
};
const looked: DebugUiState = {
  selected: "attn_L23_3@13:9",
  filters: { kind: "attn", layers: [2, 9], tokens: [0, 0], text: "L2", flaggedOnly: true },
  sort: { column: "measured", descending: false },
};

describe("the URL", () => {
  it.each([
    ["a plain question", plain, DEFAULT_UI],
    ["everything at once", full, looked],
  ])("gives back %s", (_, question, ui) => {
    const params = new URLSearchParams(writeState(question, ui).toString());
    expect(readQuestion(params)).toEqual(question);
    expect(readUi(params)).toEqual(ui);
  });

  it("asks nothing when it is empty, and drops what it cannot read", () => {
    expect(readQuestion(new URLSearchParams(""))).toBeNull();
    const odd = new URLSearchParams("p=x&i=melt+attn_L1_1&i=set+mlp_L1_1+much&at=-4&k=none&obj=odd&tr=");
    expect(readQuestion(odd)).toEqual(emptyQuestion(emptyCase("x")));
  });
});

describe("the request", () => {
  it("puts an edited case beside itself without its edits", () => {
    const [edit] = full.left.interventions;
    const question = { ...plain, left: { ...plain.left, interventions: edit ? [edit] : [] } };
    const { cases } = toRequest(question);
    expect(isComparison(question)).toBe(true);
    expect(cases).toHaveLength(2);
    expect(cases[0]?.interventions).toHaveLength(1);
    expect(cases[1]).toEqual({ ...plain.left, trace: null });
  });

  it("nests only what judges a value trace", () => {
    const trace = (depth: number) =>
      toRequest({ ...plain, traces: full.traces.slice(0, depth) }).cases[0]?.trace;
    expect(trace(2)).toEqual({ node: "mlp_L20_426@13", through: null, downstream: null });
    expect(trace(3)).toEqual({
      node: "attn_L3_3@3:1",
      through: "value",
      downstream: { node: "mlp_L20_426@13", through: null, downstream: null },
    });
  });

  it("names a trace's node as each prompt knows it", () => {
    const { cases } = toRequest(full);
    expect(cases.map((spec) => spec.trace?.node)).toEqual(["mlp_L1_4@3", "mlp_L1_4@4"]);
  });
});

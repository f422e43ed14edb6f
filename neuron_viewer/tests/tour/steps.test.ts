import { describe, expect, it } from "vitest";

import {
  ablationOf,
  isAblated,
  isTourQuestion,
  isTraced,
  obstacle,
  questionAt,
  strongestHead,
  tourQuestion,
  traceOf,
} from "@/pages/debugger/tour/steps";

import { caseOf, nodeRow } from "../rail/cases";
import { headOf, MODEL, PLAIN, QUESTION } from "./facts";

const HEAD = headOf(PLAIN);
const ABLATED = { ...QUESTION, left: { ...QUESTION.left, interventions: [ablationOf(HEAD)] } };
const TRACED = { ...QUESTION, traces: [traceOf(HEAD)] };

describe("the strongest head", () => {
  it("is the attention row with the largest total effect", () => {
    expect(HEAD).toMatchObject({
      node: "attn_L23_3@13:9",
      component: "attn_L23_3",
      query: { text: " to", position: 13 },
      key: { text: " John", position: 9 },
      attention: 0.74,
      direct: 2.87,
      estimate: 2.78,
    });
  });

  it("counts either sign, and neither other kinds nor rows without a value or with an edit", () => {
    const nodes = [
      nodeRow("mlp_L1_0@1", [9]),
      nodeRow("attn_L0_0@1:0", [1]),
      nodeRow("attn_L0_1@1:1", [-2]),
      nodeRow("attn_L0_2@1:1", [7], { edited: "ablated" }),
      nodeRow("attn_L1_0@1:0", [null]),
    ];
    const response = { ...PLAIN, cases: [caseOf(["a", "b"])], nodes };
    expect(strongestHead(response)?.node).toBe("attn_L0_1@1:1");
    expect(strongestHead({ ...response, nodes: nodes.slice(0, 1) })).toBeNull();
  });
});

describe("what a step starts from", () => {
  it("knows its own ablation and trace", () => {
    expect(isAblated(ABLATED, HEAD)).toBe(true);
    expect(isAblated(QUESTION, HEAD)).toBe(false);
    const here = { ...ablationOf(HEAD), positions: [13] };
    expect(isAblated({ ...QUESTION, left: { ...QUESTION.left, interventions: [here] } }, HEAD)).toBe(false);
    expect(isTraced(TRACED, HEAD)).toBe(true);
    expect(isTraced({ ...TRACED, traces: [{ ...traceOf(HEAD), through: "key" }] }, HEAD)).toBe(false);
  });

  it("takes back what later steps have done", () => {
    expect(questionAt("heads", ABLATED, HEAD)).toEqual(QUESTION);
    expect(questionAt("ablate", TRACED, HEAD)).toEqual(QUESTION);
    expect(questionAt("ablate", ABLATED, HEAD)).toBe(ABLATED);
    expect(questionAt("trace", ABLATED, HEAD)).toBe(ABLATED);
  });

  it("leaves what somebody else has done, and says that it is in the way", () => {
    const other = ablationOf({ ...HEAD, component: "attn_L0_0" });
    const edited = { ...QUESTION, left: { ...QUESTION.left, interventions: [other] } };
    expect(questionAt("answer", edited, HEAD)).toBe(edited);
    expect(obstacle(edited, HEAD)).toContain("interventions");
    expect(obstacle({ ...QUESTION, right: QUESTION.left }, HEAD)).toContain("second prompt");
    expect(obstacle({ ...QUESTION, traces: [{ ...traceOf(HEAD), node: "mlp_L1_0@1" }] }, HEAD)).toContain("traced");
    for (const own of [QUESTION, ABLATED, TRACED]) expect(obstacle(own, HEAD)).toBeNull();
  });
});

describe("the first example", () => {
  it("is known in any state of the tour, and in any basis", () => {
    const example = tourQuestion(MODEL, QUESTION);
    expect(isTourQuestion(ABLATED, example)).toBe(true);
    expect(isTourQuestion({ ...TRACED, top_k: 3 }, example)).toBe(true);
    expect(isTourQuestion({ ...QUESTION, left: { ...QUESTION.left, prompt: "Else" } }, example)).toBe(false);
    expect(isTourQuestion(QUESTION, tourQuestion({ ...MODEL, examples: [] }, QUESTION))).toBe(false);
  });

  it("keeps the page's bases", () => {
    expect(tourQuestion(MODEL, { ...QUESTION, top_k: 3, mlp_basis: "coder" })).toEqual({
      ...QUESTION,
      top_k: 3,
      mlp_basis: "coder",
    });
  });
});

import { describe, expect, it } from "vitest";

import { type TourFacts, stepContent } from "@/pages/debugger/tour/step-content";
import { ablationOf, type StepName, STEPS, traceOf } from "@/pages/debugger/tour/steps";

import { ABLATED, answer, facts, headOf, PLAIN, QUESTION, said } from "./facts";

const HEAD = headOf(PLAIN);
const step = (name: StepName, change: Partial<TourFacts> = {}) => stepContent(name, facts(change));

describe("the question", () => {
  it("gives the two probabilities", () => {
    const content = step("question");
    expect(said(content)).toContain("up to ·to 13.");
    expect(said(content)).toContain("the target ·Mary 92.3% and the distractor ·John 0.2%.");
    expect(content).toMatchObject({ ring: "slot", action: null, offer: null });
  });

  it("offers the first example in place of another question", () => {
    const content = step("question", { otherExample: "Indirect object" });
    expect(content.offer).toEqual({ act: "load", label: "Load “Indirect object”" });
    expect(content.action).toBeNull();
  });

  it("speaks of the target alone where nothing is compared", () => {
    const question = { ...QUESTION, left: { ...QUESTION.left, distractor_tokens: [] } };
    expect(said(step("question", { question }))).not.toContain("distractor");
  });
});

describe("the answer", () => {
  it("adds up", () => {
    const text = said(step("answer"));
    expect(text).toContain("+6.12 logits: the logit of ·Mary minus that of ·John.");
    expect(text).toContain("embeddings −0.04, attention +1.62, MLP +4.54. The sum, +6.12, equals the objective.");
    expect(text).toContain("hold +6.44 of it");
  });

  it("says by how much the parts are off", () => {
    const [first] = PLAIN.cases;
    if (!first) throw new Error("no case");
    const objective = { ...first.objective, value: 7 };
    const text = said(step("answer", { answered: answer({ ...PLAIN, cases: [{ ...first, objective }] }) }));
    expect(text).toContain("The sum, +6.12, is off by −0.88.");
    const notLinear = { ...first, objective: { ...objective, adds_up: false } };
    expect(said(step("answer", { answered: answer({ ...PLAIN, cases: [notLinear] }) }))).toContain("not linear");
  });
});

describe("the heads", () => {
  it("reads the pair, what is written, and whether estimate and measurement agree", () => {
    const token = (id: number, text: string, logit: number) => ({ id, text, logit });
    const writes = { node: HEAD.node, promotes: [token(0, " a", 1)], suppresses: [token(1, " John", -4)] };
    const text = said(step("heads", { writes, measured: 2.89 }));
    expect(text).toContain("attn_L23_3@13:9 has the largest total effect. At ·to 13 (query) it attends to ·John 9 (key)");
    expect(text).toContain("with weight 0.74; what it writes suppresses ·John.");
    expect(text).toContain("has the sign and rough size of its estimate");
    expect(said(step("heads", { measured: -1 }))).toContain("is far from its estimate");
    expect(said(step("heads"))).not.toContain("Measured by");
  });

  it("shows the row where another is selected", () => {
    expect(step("heads").offer).toBeNull();
    expect(step("heads", { isSelected: false }).offer).toEqual({ act: "select", label: "Show its row" });
  });
});

describe("the ablation", () => {
  const question = { ...QUESTION, left: { ...QUESTION.left, interventions: [ablationOf(HEAD)] } };

  it("is done by its button, and then told in the large figures", () => {
    expect(step("ablate").action).toEqual({ act: "ablate", label: "Ablate attn_L23_3 everywhere" });
    const content = step("ablate", { question, answered: answer(ABLATED, question) });
    expect(content.action).toBeNull();
    expect(said(content)).toContain("the objective is +3.08; right, as it was, +6.12.");
    expect(said(content)).toContain("The difference is −3.04: without the head the objective falls.");
    expect(said(content)).toContain("·Mary goes from 92.3% to 87.3%.");
  });

  it("waits for the answer, and is taken away by the trace", () => {
    expect(said(step("ablate", { question, answered: null }))).toBe("Waiting for the answer.");
    expect(said(step("trace", { question }))).toContain("takes the ablation away and traces attn_L23_3@13:9");
    expect(said(step("trace"))).toContain("This traces attn_L23_3@13:9 through its query: what ·to 13 asks for.");
  });
});

describe("the trace", () => {
  it("tells the score, its first row, and the way back", () => {
    const content = step("trace", { question: { ...QUESTION, traces: [traceOf(HEAD)] } });
    expect(content).toMatchObject({ ring: "trace", action: null });
    expect(said(content)).toContain("the attention score of attn_L23_3@13:9, +6.12.");
    expect(said(content)).toMatch(/First by total effect, an estimate, comes \S+ at .+, [+−]\d/);
    expect(said(content)).toContain("Clear, on the trace line, goes back");
    expect(said(content)).toContain("Tour done.");
    expect(said(content)).not.toContain("layer 0");
  });

  it("says that nothing but embeddings feeds a head of the first layer", () => {
    const head = { ...HEAD, node: "attn_L0_1@13:9", component: "attn_L0_1" };
    const content = step("trace", { head, question: { ...QUESTION, traces: [traceOf(head)] } });
    expect(said(content)).toContain("A head of layer 0 reads embeddings alone");
  });
});

describe("where a step does not apply", () => {
  const later = STEPS.slice(2);

  it("says so, and goes on", () => {
    for (const name of later) {
      const content = step(name, { head: null });
      expect(said(content)).toContain("No attention head is listed");
      expect(content.action).toBeNull();
      expect(said(step(name, { head: null, isHeadUnknown: true }))).toBe("Waiting for the answer.");
    }
  });

  it("offers to take away what is in the way", () => {
    for (const name of later) {
      const content = step(name, { question: { ...QUESTION, right: QUESTION.left } });
      expect(said(content)).toContain("there is a second prompt");
      expect(content.offer?.act).toBe("clear");
      expect(content.action).toBeNull();
    }
  });

  it("repeats why there is no answer", () => {
    for (const name of STEPS) {
      const content = step(name, { error: "The prompt is empty.", answered: null, otherExample: "Indirect object" });
      expect(said(content)).toBe("There is no answer to this question: The prompt is empty.");
      expect(content.offer?.act).toBe("load");
    }
  });
});

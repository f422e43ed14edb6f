/**
 * The five steps, and the question each of them starts from. What a step has done (the ablation, the trace) stands
 * in the question itself and is read back from it, so that undo and the page's own controls are understood too.
 */
import type { DebugResponse, InterventionSpec, ModelResponse } from "@/api/types";
import { exampleQuestion, type Question, type TraceLevel } from "@/lib/question";

import { type TableRow, tableRows, type TokenAt } from "../nodes/table-rows";

export const STEPS = ["question", "answer", "heads", "ablate", "trace"] as const;
export type StepName = (typeof STEPS)[number];

/** The head that the tour follows, at the pair of tokens where it matters most. */
export type Head = {
  node: string;
  component: string;
  query: TokenAt;
  key: TokenAt;
  attention: number;
  direct: number;
  estimate: number;
};

/** The attention row with the largest total effect, either way; null where no head is listed. */
export function strongestHead(response: DebugResponse): Head | null {
  const heads = tableRows(response).flatMap((row) => headOf(row) ?? []);
  return heads.reduce<Head | null>(
    (most, head) => (most && Math.abs(most.estimate) >= Math.abs(head.estimate) ? most : head),
    null,
  );
}

function headOf({ row, token, keyToken }: TableRow): Head | null {
  const values = row.values[0];
  if (row.kind !== "attn" || !values || !token || !keyToken || row.edited) return null;
  return {
    node: row.node,
    component: row.component,
    query: token,
    key: keyToken,
    attention: values.activation,
    direct: values.direct_effect,
    estimate: values.total_effect,
  };
}

export function ablationOf({ component }: Head): InterventionSpec {
  return { kind: "ablate", component, positions: null, key_positions: null, value: "zero" };
}

export function traceOf({ node }: Head): TraceLevel {
  return { node, through: "query", otherNode: null };
}

/** Whether the head is ablated everywhere, and nothing else is edited. */
export function isAblated({ left }: Question, head: Head | null): boolean {
  const [only, ...more] = left.interventions;
  return (
    head !== null &&
    more.length === 0 &&
    only?.kind === "ablate" &&
    only.component === head.component &&
    !only.positions &&
    !only.key_positions
  );
}

/** Whether the head's score is what is explained now. */
export function isTraced({ traces }: Question, head: Head | null): boolean {
  const [only, ...more] = traces;
  return head !== null && more.length === 0 && only?.node === head.node && only.through === "query";
}

/** The question without edits or traces: what the tour follows from its third step on. */
export function plainQuestion(question: Question): Question {
  return { ...question, left: { ...question.left, interventions: [] }, traces: [] };
}

/** Takes back what a later step has done, and nothing that somebody else has. */
export function questionAt(step: StepName, question: Question, head: Head | null): Question {
  if (step === "trace") return question;
  const untraced = isTraced(question, head) ? { ...question, traces: [] } : question;
  return step !== "ablate" && isAblated(untraced, head) ? plainQuestion(untraced) : untraced;
}

/** What keeps the third to fifth step from following one head in one prompt; null where nothing does. */
export function obstacle(question: Question, head: Head | null): string | null {
  if (question.right) return "there is a second prompt";
  if (question.left.interventions.length > 0 && !isAblated(question, head)) return "there are other interventions";
  if (question.traces.length > 0 && !isTraced(question, head)) return "something else is traced";
  return null;
}

/** The first example in this page's bases, for which the tour was written; null where the model has none. */
export function tourQuestion({ examples }: ModelResponse, now: Question): Question | null {
  const [example] = examples;
  if (!example) return null;
  const { mlp_basis, attention_basis, resid_basis, top_k } = now;
  return { ...exampleQuestion(example), mlp_basis, attention_basis, resid_basis, top_k };
}

/** Whether the question is the first example, whatever the tour has done to it. */
export function isTourQuestion(question: Question, example: Question | null): boolean {
  return example !== null && JSON.stringify(sameAs(question)) === JSON.stringify(sameAs(example));
}

function sameAs({ left, right }: Question) {
  const { prompt, target_tokens, distractor_tokens, objective, position } = left;
  return [prompt, target_tokens, distractor_tokens, objective, position, right];
}

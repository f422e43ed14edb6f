/** The question the page asks, apart from how it is written in the URL, and the request it becomes. */
import type { CaseSpec, DebugRequest, Example, TraceSpec } from "@/api/types";

export type Through = NonNullable<TraceSpec["through"]>;
export type QuestionCase = Omit<CaseSpec, "trace">;

/** One level of the trace line; `otherNode` is the same node in a second prompt of another length. */
export type TraceLevel = { node: string; through: Through | null; otherNode: string | null };

export type Question = {
  left: QuestionCase;
  /** The second prompt, where there is one. */
  right: QuestionCase | null;
  /** From the objective upstream; the last is what is explained. */
  traces: TraceLevel[];
  mlp_basis: string;
  attention_basis: string;
  /** A coder of the residual stream, listed beside the rest. */
  resid_basis: string | null;
  top_k: number;
  read_out_norm: DebugRequest["read_out_norm"];
};

/** The server's own default. */
export const DEFAULT_TOP_K = 10;

export function emptyCase(prompt = ""): QuestionCase {
  return {
    prompt,
    target_tokens: [],
    distractor_tokens: [],
    objective: "logit_diff",
    position: -1,
    interventions: [],
  };
}

export function emptyQuestion(left: QuestionCase = emptyCase()): Question {
  return {
    left,
    right: null,
    traces: [],
    mlp_basis: "neuron",
    attention_basis: "head",
    resid_basis: null,
    top_k: DEFAULT_TOP_K,
    read_out_norm: "fixed",
  };
}

export function exampleQuestion(example: Example): Question {
  return emptyQuestion({
    ...emptyCase(example.prompt),
    target_tokens: example.target ? [example.target] : [],
    distractor_tokens: example.distractor ? [example.distractor] : [],
  });
}

/** Two cases: a second prompt, or an edited one beside itself without its interventions. */
export function isComparison(question: Question): boolean {
  return question.right !== null || question.left.interventions.length > 0;
}

export function toRequest(question: Question): DebugRequest {
  const { left, right, traces, ...options } = question;
  const cases: CaseSpec[] = [{ ...left, trace: nestedTrace(traces, 0) }];
  if (right) cases.push({ ...right, trace: nestedTrace(traces, 1) });
  else if (left.interventions.length > 0) {
    cases.push({ ...left, interventions: [], trace: nestedTrace(traces, 0) });
  }
  return { cases, ...options };
}

/** The last level as the server wants it; only a value trace is judged by the level before it. */
function nestedTrace(levels: TraceLevel[], side: 0 | 1): TraceSpec | null {
  const level = levels.at(-1);
  if (!level) return null;
  const downstream = level.through === "value" ? nestedTrace(levels.slice(0, -1), side) : null;
  const node = side === 1 ? (level.otherNode ?? level.node) : level.node;
  return { node, through: level.through, downstream };
}

export function swapTokens(spec: QuestionCase): QuestionCase {
  return { ...spec, target_tokens: spec.distractor_tokens, distractor_tokens: spec.target_tokens };
}

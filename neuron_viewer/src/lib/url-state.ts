/**
 * Everything on the Debugger page, written in the URL and read back.
 *
 * `p` prompt, `t` targets, `d` distractors, `obj`, `at`, `i` interventions (as sentences); the second prompt has
 * the same with a 2; `tr` trace levels; `mlp` `attn` `resid` bases, `k`, `norm`. View: `sel`, `kind`, `layers`, `tokens`,
 * `q`, `flagged`, `sort`. What is at its default is left out. Text that cannot be read is dropped, not an error:
 * a link may come from a newer version.
 */
import type { InterventionSpec, Objective } from "@/api/types";

import {
  DEFAULT_TOP_K,
  emptyCase,
  emptyQuestion,
  type Question,
  type QuestionCase,
  type Through,
  type TraceLevel,
} from "./question";
import { interventionToText, textToIntervention } from "./intervention-text";

const OBJECTIVES: Objective[] = ["logit_diff", "logit_minus_mean", "logprob", "prob"];
const THROUGHS: Through[] = ["query", "key", "query_and_key", "value"];
const KINDS = ["all", "embed", "attn", "mlp", "latent"] as const;

export type Filters = {
  kind: (typeof KINDS)[number];
  layers: [number, number] | null;
  tokens: [number, number] | null;
  text: string;
  flaggedOnly: boolean;
};
export type Sort = { column: string; descending: boolean };
export type DebugUiState = { selected: string | null; filters: Filters; sort: Sort };

export const NO_FILTERS: Filters = {
  kind: "all",
  layers: null,
  tokens: null,
  text: "",
  flaggedOnly: false,
};
export const DEFAULT_SORT: Sort = { column: "total_effect", descending: true };
export const DEFAULT_UI: DebugUiState = { selected: null, filters: NO_FILTERS, sort: DEFAULT_SORT };

// --- the question -----------------------------------------------------------------------------------

/** Null when the URL asks nothing. */
export function readQuestion(params: URLSearchParams): Question | null {
  const left = readCase(params, "");
  if (!left) return null;
  const k = Number(params.get("k"));
  return {
    ...emptyQuestion(left),
    right: readCase(params, "2"),
    traces: params.getAll("tr").flatMap(readTrace),
    mlp_basis: params.get("mlp") ?? "neuron",
    attention_basis: params.get("attn") ?? "head",
    resid_basis: params.get("resid"),
    top_k: Number.isInteger(k) && k > 0 ? k : DEFAULT_TOP_K,
    read_out_norm: params.get("norm") === "live" ? "live" : "fixed",
  };
}

function readCase(params: URLSearchParams, suffix: "" | "2"): QuestionCase | null {
  const prompt = params.get(`p${suffix}`);
  if (prompt === null) return null;
  const objective = OBJECTIVES.find((name) => name === params.get(`obj${suffix}`));
  const position = params.get(`at${suffix}`);
  return {
    ...emptyCase(prompt),
    target_tokens: params.getAll(`t${suffix}`),
    distractor_tokens: params.getAll(`d${suffix}`),
    objective: objective ?? "logit_diff",
    position: position !== null && /^\d{1,7}$/.test(position) ? Number(position) : -1,
    interventions: params
      .getAll(`i${suffix}`)
      .map(textToIntervention)
      .filter((spec): spec is InterventionSpec => spec !== null),
  };
}

function readTrace(text: string): TraceLevel[] {
  const [node, through, otherNode] = text.split(" ");
  if (!node) return [];
  return [
    {
      node,
      through: THROUGHS.find((name) => name === through) ?? null,
      otherNode: otherNode ?? null,
    },
  ];
}

function writeQuestion(question: Question, params: URLSearchParams): void {
  writeCase(question.left, "", params);
  if (question.right) writeCase(question.right, "2", params);
  for (const { node, through, otherNode } of question.traces) {
    params.append("tr", [node, through ?? "-", otherNode ?? ""].join(" ").trimEnd().replace(/ -$/, ""));
  }
  if (question.mlp_basis !== "neuron") params.set("mlp", question.mlp_basis);
  if (question.attention_basis !== "head") params.set("attn", question.attention_basis);
  if (question.resid_basis !== null) params.set("resid", question.resid_basis);
  if (question.top_k !== DEFAULT_TOP_K) params.set("k", String(question.top_k));
  if (question.read_out_norm === "live") params.set("norm", "live");
}

function writeCase(spec: QuestionCase, suffix: "" | "2", params: URLSearchParams): void {
  params.set(`p${suffix}`, spec.prompt);
  for (const token of spec.target_tokens) params.append(`t${suffix}`, token);
  for (const token of spec.distractor_tokens) params.append(`d${suffix}`, token);
  if (spec.objective !== "logit_diff") params.set(`obj${suffix}`, spec.objective);
  if (spec.position !== -1) params.set(`at${suffix}`, String(spec.position));
  for (const edit of spec.interventions) params.append(`i${suffix}`, interventionToText(edit));
}

// --- how it is looked at ------------------------------------------------------------------------------

export function readUi(params: URLSearchParams): DebugUiState {
  const sort = params.get("sort");
  return {
    selected: params.get("sel"),
    filters: {
      kind: KINDS.find((kind) => kind === params.get("kind")) ?? "all",
      layers: readRange(params.get("layers")),
      tokens: readRange(params.get("tokens")),
      text: params.get("q") ?? "",
      flaggedOnly: params.get("flagged") === "1",
    },
    sort: sort
      ? { column: sort.replace(/^-/, ""), descending: sort.startsWith("-") }
      : DEFAULT_SORT,
  };
}

function readRange(text: string | null): [number, number] | null {
  const found = /^(\d{1,7})-(\d{1,7})$/.exec(text ?? "");
  return found ? [Number(found[1]), Number(found[2])] : null;
}

function writeUi({ selected, filters, sort }: DebugUiState, params: URLSearchParams): void {
  if (selected !== null) params.set("sel", selected);
  if (filters.kind !== "all") params.set("kind", filters.kind);
  if (filters.layers) params.set("layers", filters.layers.join("-"));
  if (filters.tokens) params.set("tokens", filters.tokens.join("-"));
  if (filters.text) params.set("q", filters.text);
  if (filters.flaggedOnly) params.set("flagged", "1");
  if (sort.column !== DEFAULT_SORT.column || !sort.descending) {
    params.set("sort", (sort.descending ? "-" : "") + sort.column);
  }
}

export function writeState(question: Question, ui: DebugUiState): URLSearchParams {
  const params = new URLSearchParams();
  writeQuestion(question, params);
  writeUi(ui, params);
  return params;
}

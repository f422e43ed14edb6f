/** What the card says, with the figures of the response in it. */
import type { CaseResult, DebugResponse, NodeTokens, NodeRow } from "@/api/types";
import { formatEffect, formatMagnitude, formatProb, isZeroEffect } from "@/lib/format";
import { type Kind, parseComponent } from "@/lib/node";
import type { Question } from "@/lib/question";

import { flagOf } from "@/lib/disagreement";
import { tableRow } from "../nodes/table-rows";
import { type Prose, tokenList } from "./prose";
import type { Head } from "./steps";

export function questionText({ left }: Question, result: CaseResult): Prose[] {
  const { position } = result.objective;
  const last = result.tokens[position];
  const read = last ? ["The model has read up to ", { token: last.text, at: position }, ". "] : [];
  const meaning = "The target is the token whose prediction is explained. Blue pushes toward it everywhere on the page";
  if (left.target_tokens.length === 0) return [[...read, "No target is named yet."]];
  const target = ["Next it gives the target ", ...chances(result, "target", left.target_tokens)];
  if (left.distractor_tokens.length === 0) return [[...read, ...target, "."], [`${meaning}, orange away.`]];
  const distractor = [" and the distractor ", ...chances(result, "distractor", left.distractor_tokens)];
  return [
    [...read, ...target, ...distractor, "."],
    [`${meaning}; the distractor is the token it is compared with, and orange pushes toward that.`],
  ];
}

function chances(result: CaseResult, role: "target" | "distractor", texts: readonly string[]): Prose {
  const found = result.next_tokens.filter((token) => token.role === role);
  if (found.length === 0) return tokenList(texts);
  return found.flatMap(({ text, prob }, place) => [
    place > 0 ? ", " : "",
    { token: text },
    " ",
    { figure: formatProb(prob) },
  ]);
}

const KINDS: Record<Kind, string> = {
  embed: "embeddings",
  attn: "attention",
  mlp: "MLP",
  latent: "latents",
  error: "coder errors",
  bias: "biases",
};

export function answerText({ left }: Question, result: CaseResult): Prose[] {
  const { value, unit, adds_up } = result.objective;
  const figure: Prose = ["The large figure is the objective, ", { figure: formatEffect(value) }, ` ${unit}`];
  const isPair = left.objective === "logit_diff" && left.distractor_tokens.length > 0;
  const first: Prose = isPair
    ? [...figure, ": the logit of ", ...tokenList(left.target_tokens), " minus that of ", ...tokenList(left.distractor_tokens), "."]
    : [...figure, "."];
  if (!adds_up) {
    return [first, ["It is not linear in what the components write, so their direct effects need not add up to it."]];
  }
  const parts = Object.entries(result.direct_effect_by_kind);
  const sum = parts.reduce((total, [, part]) => total + part, 0);
  const shown = parts.filter(([, part]) => !isZeroEffect(part));
  const named = shown.map(([kind, part]) => `${KINDS[kind as Kind] ?? "edits"} ${formatEffect(part)}`);
  const isEqual = formatEffect(sum) === formatEffect(value);
  return [
    first,
    [
      `It adds up: every component writes straight to it. By kind: ${named.join(", ")}. The sum, `,
      { figure: formatEffect(sum) },
      isEqual ? ", equals the objective." : `, is off by ${formatEffect(sum - value)}.`,
    ],
    ["The rows listed below hold ", { figure: formatEffect(result.listed_direct_effect) }, " of it."],
  ];
}

export function headText(head: Head, writes: NodeTokens | null, measured: number | null): Prose[] {
  const { node, query, key, attention } = head;
  const pair: Prose = [
    "Of the heads, ",
    { name: node },
    " has the largest total effect. At ",
    { token: query.text, at: query.position },
    " (query) it attends to ",
    { token: key.text, at: key.position },
    " (key) with weight ",
    { figure: formatMagnitude(attention) },
  ];
  const last = ["Pale is an estimate from the gradient, solid is exact or measured. "];
  if (measured !== null) {
    last.push(
      flagOf(head.estimate, measured) === null
        ? "Measured by really removing the write, the effect has the sign and rough size of its estimate, the tick on its bar."
        : "Measured by really removing the write, the effect is far from its estimate, the tick on its bar.",
    );
  }
  return [[...pair, ...writesText(writes), "."], last];
}

function writesText(writes: NodeTokens | null): Prose {
  const up = writes?.promotes[0]?.logit ?? 0;
  const down = writes?.suppresses[0]?.logit ?? 0;
  if (!writes || (up === 0 && down === 0)) return [];
  const isDown = Math.abs(down) > Math.abs(up);
  const texts = (isDown ? writes.suppresses : writes.promotes).slice(0, 3).map(({ text }) => text);
  return [isDown ? "; what it writes suppresses " : "; what it writes promotes ", ...tokenList(texts)];
}

export function beforeAblation({ component }: Head): Prose[] {
  return [
    ["Is the head needed? Replace its activation by zero at all positions, and run the model again."],
    ["The prompt then stands beside itself: left with ", { name: component }, " ablated, right as it was."],
  ];
}

export function afterAblation({ component }: Head, { cases }: DebugResponse): Prose[] {
  const [left, right] = cases;
  if (!left || !right) return [];
  const difference = left.objective.value - right.objective.value;
  const moves = isZeroEffect(difference) ? "hardly moves" : difference < 0 ? "falls" : "rises";
  return [
    [
      "Left, without ",
      { name: component },
      ", the objective is ",
      { figure: formatEffect(left.objective.value) },
      "; right, as it was, ",
      { figure: formatEffect(right.objective.value) },
      ".",
    ],
    ["The difference is ", { figure: formatEffect(difference) }, `: without the head the objective ${moves}.`],
    ...targetMoves(left, right),
  ];
}

function targetMoves(left: CaseResult, right: CaseResult): Prose[] {
  const now = left.next_tokens.find(({ role }) => role === "target");
  const was = right.next_tokens.find(({ id }) => id === now?.id);
  if (!now || !was) return [];
  return [[{ token: now.text }, " goes from ", { figure: formatProb(was.prob) }, " to ", { figure: formatProb(now.prob) }, "."]];
}

export function beforeTrace({ node, query, key }: Head, isAblated: boolean): Prose[] {
  return [
    [
      "Why does it attend to ",
      { token: key.text, at: key.position },
      "? A trace explains the head\u2019s attention score instead of the next token.",
    ],
    [
      isAblated ? "This takes the ablation away and traces " : "This traces ",
      { name: node },
      " through its query: what ",
      { token: query.text, at: query.position },
      " asks for.",
    ],
  ];
}

export function afterTrace({ node, component }: Head, response: DebugResponse): Prose[] {
  const [result] = response.cases;
  if (!result) return [];
  return [
    [
      "The large figure is now the attention score of ",
      { name: node },
      ", ",
      { figure: formatEffect(result.objective.value) },
      ". The rows are what its query is made of: blue raises the score, orange lowers it.",
    ],
    ...strongestText(response, result),
    ...(parseComponent(component)?.layer === 0
      ? [["A head of layer 0 reads embeddings alone, so no head or neuron feeds it. One higher up has a longer way to follow."]]
      : []),
    ["Clear, on the trace line, goes back to the next token."],
    [{ figure: "Tour done." }, " Any row can be followed the same way."],
  ];
}

function strongestText({ nodes }: DebugResponse, result: CaseResult): Prose[] {
  const size = (row: NodeRow) => Math.abs(row.values[0]?.total_effect ?? 0);
  const first = nodes.reduce<NodeRow | null>((most, row) => (most && size(most) >= size(row) ? most : row), null);
  if (!first) return [];
  const { token } = tableRow(first, [result]);
  const place: Prose = token ? [" at ", { token: token.text, at: token.position }] : [];
  const effect = { figure: formatEffect(first.values[0]?.total_effect) };
  return [["First by total effect, an estimate, comes ", { name: first.node }, ...place, ", ", effect, "."]];
}

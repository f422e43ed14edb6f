import type { CaseResult, NextToken, NodeRow } from "@/api/types";

/** A case over these tokens; effects are 10 * layer + token for attention, and their negation for MLPs. */
export function caseOf(texts: string[], n_layers = 2, change: Partial<CaseResult> = {}): CaseResult {
  const zeros = texts.map(() => 0);
  const layers = Array.from({ length: n_layers }, (_, layer) => texts.map((_, token) => 10 * layer + token));
  return {
    tokens: texts.map((text, id) => ({ id, text })),
    objective: { value: 1, unit: "logits", position: texts.length - 1, adds_up: true },
    next_tokens: [],
    direct_effect_by_kind: { embed: 0, attn: 0, mlp: 0, bias: 0, error: 0, edit: 0 },
    direct_effect_by_layer: { attn: zeros, mlp: zeros, error: zeros },
    listed_direct_effect: 0,
    by_token: { embed: texts.map((_, token) => token), mlp: zeros, attn_from: zeros, attn_to: zeros },
    by_layer: { attn: layers, mlp: layers.map((row) => row.map((value) => -2 * value)) },
    ...change,
  };
}

export function nextToken(id: number, text: string, prob: number, role: NextToken["role"] = null): NextToken {
  return { id, text, prob, logit: Math.log(prob), rank: id, role };
}

/** A listed row with a total effect in each case; null where a case lacks it. */
export function nodeRow(node: string, effects: (number | null)[], change: Partial<NodeRow> = {}): NodeRow {
  const component = node.split("@")[0] ?? node;
  const kind = component.startsWith("attn_L") ? "attn" : component.startsWith("mlp_L") ? "mlp" : "embed";
  const layer = /_L(\d+)/.exec(component)?.[1];
  return {
    node,
    case_nodes: effects.map((effect) => (effect === null ? null : node)),
    component,
    kind,
    layer: layer === undefined ? null : Number(layer),
    index: null,
    position: null,
    key_position: null,
    values: effects.map((total_effect) =>
      total_effect === null ? null : { activation: 1, write_magnitude: 1, direct_effect: 0, total_effect },
    ),
    edited: null,
    ...change,
  };
}

/** A row of the response with the tokens it stands on, ready for cells, filters and sorting. */

import type { CaseResult, DebugResponse, NodeKind, NodeRow } from "@/api/types";
import { parseNode } from "@/lib/node";

export type TokenAt = { text: string; position: number };

export type TableRow = {
  /** Tells the rows apart: two prompts may each have a node of that name which the other has not. */
  id: string;
  node: string;
  row: NodeRow;
  /** Where it writes; null for the biases, which write everywhere. */
  token: TokenAt | null;
  /** Heads only: the token attended to. */
  keyToken: TokenAt | null;
  /** Present in one case only, when the prompts differ. */
  only: "left" | "right" | null;
  /** Lower-case text that the filter looks in. */
  search: string;
};

export const KIND_NAMES: Record<NodeKind, string> = {
  embed: "embedding",
  attn: "attention head",
  mlp: "MLP neuron",
  latent: "latent",
  error: "coder error",
  bias: "biases",
};

function onlyIn(row: NodeRow): TableRow["only"] {
  if (row.values.length < 2) return null;
  if (row.values[0] == null) return "right";
  return row.values[1] == null ? "left" : null;
}

export function tableRow(row: NodeRow, cases: readonly CaseResult[]): TableRow {
  const only = onlyIn(row);
  const at = only === "right" ? 1 : 0;
  const tokens = cases[at]?.tokens ?? [];
  const place = parseNode(row.case_nodes[at] ?? row.node);
  const tokenAt = (index: number | null | undefined): TokenAt | null => {
    const token = tokens[index ?? -1];
    return token && index != null ? { text: token.text, position: index } : null;
  };
  const token = tokenAt(place?.position);
  const keyToken = tokenAt(place?.keyPosition);
  const words = [
    row.node,
    token?.text,
    keyToken?.text,
    KIND_NAMES[row.kind],
    row.edited,
    only && `${only} only`,
  ];
  return {
    id: only === "right" ? `${row.node} right` : row.node,
    node: row.node,
    row,
    token,
    keyToken,
    only,
    search: words.filter(Boolean).join("\n").toLowerCase(),
  };
}

export function tableRows(response: DebugResponse): TableRow[] {
  return response.nodes.map((row) => tableRow(row, response.cases));
}

/** The case that shows what the node does: the left one, unless it lacks the node or has edited it away. */
export function tellingCase({ row, only }: TableRow): 0 | 1 {
  return row.values.length > 1 && (only === "right" || row.edited) ? 1 : 0;
}

/** Biases write at all tokens at once and errors are no unit of the model: neither is measured. */
const MEASURED_KINDS: readonly NodeKind[] = ["embed", "attn", "mlp", "latent"];

/** What to measure in one case; null where there is nothing to. */
export function measurableIn(row: TableRow, at: number): string | null {
  return MEASURED_KINDS.includes(row.row.kind) ? nodeInCase(row, at) : null;
}

/** The node's name in one case; null where the case has no such token. */
export function nodeInCase({ row, node }: TableRow, at: number): string | null {
  if (row.values[at] == null) return null;
  return row.case_nodes.length > at ? (row.case_nodes[at] ?? null) : node;
}

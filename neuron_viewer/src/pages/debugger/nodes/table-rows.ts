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
  /** The case that shows what the node does: the left one, unless it lacks the node or has edited it away. */
  telling: 0 | 1;
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
    telling: only === "right" || hasBaseline(row, cases) ? 1 : 0,
    search: words.filter(Boolean).join("\n").toLowerCase(),
  };
}

/** An edited case beside itself as it was: only then does the right case say what the edit took away. */
function hasBaseline(row: NodeRow, [left, right]: readonly CaseResult[]): boolean {
  if (!row.edited || !left || !right || left.tokens.length !== right.tokens.length) return false;
  return left.tokens.every(({ id }, position) => id === right.tokens[position]?.id);
}

export function tableRows(response: DebugResponse): TableRow[] {
  return response.nodes.map((row) => tableRow(row, response.cases));
}

/** Biases write at all tokens at once: they are not measured. */
const MEASURED_KINDS: readonly NodeKind[] = ["embed", "attn", "mlp", "latent", "error"];

/** What to measure in one case; null where there is nothing to. */
export function measurableIn(row: TableRow, at: number): string | null {
  return MEASURED_KINDS.includes(row.row.kind) ? nodeInCase(row, at) : null;
}

/** The node's name in one case; null where the case has no such token. */
export function nodeInCase({ row, node }: TableRow, at: number): string | null {
  if (row.values[at] == null) return null;
  return row.case_nodes.length > at ? (row.case_nodes[at] ?? null) : node;
}

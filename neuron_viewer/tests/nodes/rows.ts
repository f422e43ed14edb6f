/** Rows for the tests of the node table: named, with a total effect, and whatever else a test is about. */
import type { NodeRow } from "@/api/types";
import { tableRow, type TableRow } from "@/pages/debugger/nodes/table-rows";
import { parseNode } from "@/lib/node";

export const TOKENS = ["When", " Mary", " and", " John", "\n"].map((text, id) => ({ id, text }));
const CASE = { tokens: TOKENS } as Parameters<typeof tableRow>[1][number];

export function nodeRow(node: string, total: number | null, change: Partial<NodeRow> = {}): NodeRow {
  const parsed = parseNode(node);
  if (!parsed) throw new Error(node);
  const { component, position, keyPosition } = parsed;
  return {
    node,
    case_nodes: [node],
    component: component.name,
    kind: component.kind,
    layer: component.layer,
    index: component.index,
    position,
    key_position: keyPosition,
    values: [total === null ? null : values(total)],
    ...change,
  };
}

export function values(total_effect: number, direct_effect = 0) {
  return { activation: 0.5, write_magnitude: 1, direct_effect, total_effect };
}

export function row(node: string, total: number, change: Partial<NodeRow> = {}): TableRow {
  return tableRow(nodeRow(node, total, change), [CASE, CASE]);
}

/** A row of two cases; null where the case has no such node. */
export function pair(node: string, left: number | null, right: number | null): TableRow {
  const sides = [left, right].map((total) => (total === null ? null : values(total)));
  const names = [left, right].map((total) => (total === null ? null : node));
  return tableRow(nodeRow(node, left, { values: sides, case_nodes: names }), [CASE, CASE]);
}

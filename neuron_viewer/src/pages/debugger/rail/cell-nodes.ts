import type { NodeRow } from "@/api/types";
import type { HeatCell } from "@/components/heat-grid/model";
import { sublayerOf } from "@/lib/bases";
import { parseComponent, parseNode, type Node } from "@/lib/node";

import type { AlignedColumn } from "./alignment";
import type { EffectMap, MapRow, Part } from "./effect-map";

/** A listed row's total effect: of the one case, or left minus right (absent counts as nothing). */
export function effectOf(row: NodeRow): number {
  const [left, right] = row.values;
  return (left?.total_effect ?? 0) - (right?.total_effect ?? 0);
}

/** The strongest listed nodes behind a cell of the map. */
export function cellNodes(
  nodes: readonly NodeRow[],
  row: MapRow,
  column: AlignedColumn,
  part: Part,
  n = 3,
): NodeRow[] {
  return nodes
    .filter((node) => isInRow(node, row, part) && isInColumn(node, row, column))
    .sort((a, b) => Math.abs(effectOf(b)) - Math.abs(effectOf(a)))
    .slice(0, n);
}

function isInRow(node: NodeRow, row: MapRow, part: Part): boolean {
  const own = sublayerOf(parseComponent(node.component));
  if ("layer" in row) return own !== null && node.layer === row.layer && (part === "both" || part === own);
  return row.strip === "embed" ? node.kind === "embed" : own === (row.strip === "mlp" ? "mlp" : "attn");
}

function isInColumn(node: NodeRow, row: MapRow, column: AlignedColumn): boolean {
  const isByKey = "strip" in row && row.strip === "attn_to";
  return placesOf(node).some((place, index) => {
    const position = column.positions[index] ?? null;
    return place !== null && position !== null && (isByKey ? place.keyPosition : place.position) === position;
  });
}

/** Where the node stands in each case. */
function placesOf(node: NodeRow): (Node | null)[] {
  const names = node.case_nodes.length > 0 ? node.case_nodes : [node.node];
  return names.map((name) => (name === null ? null : parseNode(name)));
}

/** The cell of the map that holds a node, listed or not; null for what the map does not show. */
export function cellOfNode(
  name: string | null,
  nodes: readonly NodeRow[],
  { rows, columns }: Pick<EffectMap, "rows" | "columns">,
): HeatCell | null {
  if (name === null) return null;
  const listed = nodes.find((node) => node.node === name);
  const places = listed ? placesOf(listed) : [parseNode(name)];
  const component = places.find((place) => place !== null)?.component;
  if (!component) return null;
  const row = rows.findIndex((one) =>
    component.kind === "embed"
      ? "strip" in one && one.strip === "embed"
      : "layer" in one && one.layer === component.layer,
  );
  const column = columns.findIndex((one) => places.some((place, at) => isAt(place, one.positions[at])));
  return row < 0 || column < 0 ? null : { row, column };
}

function isAt(place: Node | null, position: number | null | undefined): boolean {
  return place !== null && place.position !== null && place.position === position;
}

/** The numbers of a row by name, in one case or as a difference: what cells, sorting and exports read. */

import type { NodeKind } from "@/api/types";

import { nodeInCase, type TableRow } from "./table-rows";

/** Named as on the wire, and as in the glossary. */
export type Metric = "activation" | "write_magnitude" | "direct_effect" | "total_effect" | "measured_effect";
export type Side = "left" | "diff" | "right";

/** Measured effects known so far: one map for each case, by the node's name in that case. */
export type Measured = readonly ReadonlyMap<string, number>[];

export const METRICS: readonly Metric[] = [
  "activation",
  "write_magnitude",
  "direct_effect",
  "total_effect",
  "measured_effect",
];

export const METRIC_LABELS: Record<Metric, string> = {
  activation: "Activation",
  write_magnitude: "Write",
  direct_effect: "Direct effect",
  total_effect: "Total effect",
  measured_effect: "Measured effect",
};

/** Of embeddings and biases it is 1 by definition, so there is nothing to show. */
export function hasActivation(kind: NodeKind): boolean {
  return kind !== "embed" && kind !== "bias";
}

/** Effects carry a sign and a bar; activation and write do not. */
export function isEffect(metric: Metric): boolean {
  return metric.endsWith("_effect");
}

/** Null: not applicable, absent in this case, or not measured yet. */
export function metricIn(row: TableRow, metric: Metric, at: number, measured: Measured): number | null {
  if (metric === "measured_effect") return measured[at]?.get(nodeInCase(row, at) ?? "") ?? null;
  if (metric === "activation" && !hasActivation(row.row.kind)) return null;
  return row.row.values[at]?.[metric] ?? null;
}

/** A side of the comparison; `diff` is left minus right, and null where either is. */
export function metricOn(row: TableRow, metric: Metric, side: Side, measured: Measured): number | null {
  if (side === "left") return metricIn(row, metric, 0, measured);
  const right = metricIn(row, metric, 1, measured);
  if (side === "right") return right;
  const left = metricIn(row, metric, 0, measured);
  return left === null || right === null ? null : left - right;
}

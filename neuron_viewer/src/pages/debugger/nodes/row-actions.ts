/** What can be done with a row, and the intervention or trace that each action stands for. */

import type { DebugRequest, InterventionSpec, NodeKind, TraceSpec } from "@/api/types";
import type { Through } from "@/lib/question";

import type { TableRow } from "./table-rows";

/** `everywhere`: at every position of the prompt. `here`: only at the row's own token or pair. */
export type Where = "everywhere" | "here";

export type RowActions = {
  ablate: boolean;
  patch: boolean;
  scale: boolean;
  /**
   * Heads are traced through one of their inputs; `whole` is a neuron's or latent's pre-activation; `missed` is what a
   * coder's error does downstream.
   */
  trace: readonly Through[] | "whole" | "missed" | null;
  /** Whether an edit can be kept to the row's own token or pair. */
  here: boolean;
  /** Where ablate, patch and scale act unless told otherwise. */
  where: Where;
};

export const THROUGH: readonly Through[] = ["query", "key", "query_and_key", "value"];
export const THROUGH_LABEL: Record<Through, string> = {
  query: "query",
  key: "key",
  query_and_key: "both",
  value: "value",
};

const TRACES: Partial<Record<NodeKind, RowActions["trace"]>> = {
  attn: THROUGH,
  mlp: "whole",
  latent: "whole",
  error: "missed",
};

/** What a row is traced through when `wanted` is asked of heads: only they have a choice. */
export function throughOf(trace: RowActions["trace"], wanted: Through): Through | null {
  if (trace === "whole") return null;
  return trace === "missed" ? "value" : wanted;
}

/** Two prompts that differ, so that one has values worth carrying over to the other. */
export function hasTwoPrompts(request: DebugRequest): boolean {
  const [left, right] = request.cases;
  return left !== undefined && right !== undefined && left.prompt !== right.prompt;
}

export function actionsFor({ row, only }: TableRow, request: DebugRequest): RowActions {
  // The left case carries the edits: there is no place in it for a node that only the right one has.
  const isLeft = only !== "right";
  const isEditable = row.kind !== "bias" && (isLeft || row.kind !== "embed");
  return {
    ablate: isEditable,
    patch: isEditable && isLeft && hasTwoPrompts(request),
    scale: isEditable,
    trace: isLeft ? (TRACES[row.kind] ?? null) : null,
    here: isLeft,
    // Every token has an embedding: to edit them all at once says nothing about this one.
    where: row.kind === "embed" ? "here" : "everywhere",
  };
}

function placeOf(row: TableRow, where: Where) {
  const at = where === "here" ? row.token : null;
  const key = where === "here" ? row.keyToken : null;
  return {
    component: row.row.component,
    positions: at ? [at.position] : null,
    key_positions: key ? [key.position] : null,
  };
}

export function ablateSpec(row: TableRow, where: Where): InterventionSpec {
  return { kind: "ablate", ...placeOf(row, where), value: "zero" };
}

export function scaleSpec(row: TableRow, where: Where, value: number): InterventionSpec {
  return { kind: "scale", ...placeOf(row, where), value };
}

/**
 * The value from the right case. Prompts of unequal length are aligned at their ends, so each position names its
 * counterpart; tokens without one are left alone. A pair has none, so a head is patched for all it attends to.
 */
export function patchSpec(row: TableRow, where: Where, lengths: readonly [number, number]): InterventionSpec {
  const [left, right] = lengths;
  const place = placeOf(row, where);
  if (left === right) return { kind: "patch", ...place, from_case: 1, from_positions: null };
  const shift = right - left;
  const all = Array.from({ length: left }, (_, position) => position);
  const positions = (place.positions ?? all).filter((position) => position + shift >= 0);
  const from = positions.map((position) => position + shift);
  return { kind: "patch", ...place, positions, key_positions: null, from_case: 1, from_positions: from };
}

/** A value trace is judged by what is being explained now; the other traces have an objective of their own. */
export function traceSpec(row: TableRow, through: Through | null, current: TraceSpec | null): TraceSpec {
  return { node: row.node, through, downstream: through === "value" ? current : null };
}

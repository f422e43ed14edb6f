import type { Through } from "@/lib/question";

import type { DebugActions, DebugView } from "../view";
import { ablateSpec, actionsFor, patchSpec, traceSpec, type Where } from "./row-actions";
import type { TableRow } from "./table-rows";

export type RowActs = ReturnType<typeof rowActs>;

/** The same acts for buttons and keys. */
export function rowActs(view: DebugView, actions: DebugActions) {
  const { request, response } = view;
  const [left, right] = response.cases;
  return {
    offered: (row: TableRow) => actionsFor(row, request),
    ablate: (row: TableRow, where: Where) => actions.addIntervention(ablateSpec(row, where)),
    patch: (row: TableRow, where: Where) => {
      const lengths = [left?.tokens.length ?? 0, right?.tokens.length ?? 0] as const;
      actions.addIntervention(patchSpec(row, where, lengths));
    },
    trace: (row: TableRow, through: Through | null) =>
      actions.trace(traceSpec(row, through, request.cases[0]?.trace ?? null)),
  };
}

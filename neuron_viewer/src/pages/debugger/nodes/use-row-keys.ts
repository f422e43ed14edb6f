import type { RefObject } from "react";

import type { Through } from "@/lib/question";
import { useKeys } from "@/lib/use-keys";

import type { PanelProps } from "../view";
import { throughOf } from "./row-actions";
import { rowActs } from "./row-acts";
import type { TableRow } from "./table-rows";
import type { RowState } from "./use-row-state";

type RowKeys = Omit<PanelProps, "ui"> & {
  shown: readonly TableRow[];
  state: RowState;
  filter: RefObject<HTMLInputElement | null>;
};

/** The page's letters for the selected row. Arrows, Enter and Space belong to the row that has the focus. */
export function useRowKeys({ view, actions, shown, state, filter }: RowKeys): void {
  const acts = rowActs(view, actions);
  const row = shown.find(({ id }) => id === state.selected);
  const offered = row && acts.offered(row);

  const trace = (through: Through) => () => {
    if (row && offered?.trace) acts.trace(row, throughOf(offered.trace, through));
  };
  useKeys({
    j: () => state.move(shown, 1),
    k: () => state.move(shown, -1),
    f: () => {
      filter.current?.focus();
      filter.current?.select();
    },
    a: () => {
      if (row && offered?.ablate) acts.ablate(row, offered.where);
    },
    A: () => {
      if (row && offered?.ablate && offered.here) acts.ablate(row, "here");
    },
    p: () => {
      if (row && offered?.patch) acts.patch(row, offered.where);
    },
    s: () => {
      if (row && offered?.scale) state.controls.open(row.id, true);
    },
    q: trace("query"),
    w: trace("key"),
    b: trace("query_and_key"),
    v: trace("value"),
    o: () => {
      if (row) actions.openComponent(row.row.component);
    },
  });
}

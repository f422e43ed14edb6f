import { useEffect, useMemo } from "react";

import type { NodeTable } from "./use-node-table";
import { measurableIn, type TableRow } from "./table-rows";

/** Rows measured without being asked for; those beyond are measured when they come on screen. */
export const LEADING_ROWS = 500;

function namesIn(rows: readonly TableRow[], at: number): string[] {
  return rows.map((row) => measurableIn(row, at)).filter((name) => name !== null);
}

/** Tells the streams what is on screen and in which order the table stands. */
export function useMeasurePlan(model: NodeTable, first: number, last: number): void {
  const { rows, shown, left, right, measuresAll } = model;
  const order = useMemo(() => {
    const isShown = new Set(shown);
    const all = [...shown, ...rows.filter((row) => !isShown.has(row))];
    return measuresAll ? all : all.slice(0, LEADING_ROWS);
  }, [rows, shown, measuresAll]);
  useEffect(() => {
    const visible = shown.slice(first, last + 1);
    for (const [at, { store }] of [left, right].entries()) {
      store.setPlan({ order: namesIn(order, at), visible: namesIn(visible, at) });
    }
  }, [order, shown, first, last, left, right]);
}

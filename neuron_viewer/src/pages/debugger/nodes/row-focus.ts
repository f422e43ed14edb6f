/** Keys of the row, or the cell, that has the focus. */

import type { KeyboardEvent } from "react";

import type { TableRow } from "./table-rows";
import type { RowState } from "./use-row-state";

export function onRowKey(event: KeyboardEvent, shown: readonly TableRow[], state: RowState): void {
  const target = event.target as HTMLElement;
  const body = target.closest("tbody");
  const row = body?.querySelector<HTMLElement>("tr[data-node]");
  const node = row?.dataset["node"];
  if (!row || !node || event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape" && state.openRow === node) {
    state.controls.open(null);
    row.focus();
  } else if (!target.matches("tr[data-node], tr[data-node] > td, tr[data-node] a, tr[data-node] .flag")) {
    return;
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    state.move(shown, event.key === "ArrowDown" ? 1 : -1);
  } else if (event.key === "ArrowRight" || event.key === "ArrowLeft") {
    moveAcross(row, event.key === "ArrowRight" ? 1 : -1);
  } else if ((event.key === "Enter" || event.key === " ") && !target.matches("a, button")) {
    state.controls.toggle(node);
  } else return;
  event.preventDefault();
}

/** From cell to cell, so that each number's definition can be had without a pointer. */
function moveAcross(row: HTMLElement, by: 1 | -1): void {
  const stops = [row, ...row.querySelectorAll<HTMLElement>("a, td[data-define], button.flag")];
  const visible = stops.filter((stop) => stop.offsetParent !== null || stop === row);
  const next = visible[visible.findIndex((stop) => stop === document.activeElement) + by];
  if (!next) return;
  // Only now: a cell that can always take the focus would take it from its row on every click.
  if (next.tagName === "TD") next.tabIndex = -1;
  next.focus();
}

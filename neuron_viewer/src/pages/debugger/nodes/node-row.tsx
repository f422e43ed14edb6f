import { flexRender, type Cell } from "@tanstack/react-table";
import type { MouseEvent } from "react";

import { define } from "@/lib/define";

import type { Column } from "./column-plan";
import { isEffect, metricIn, metricOn } from "./metrics";
import { NodeCell } from "./node-cell";
import { NodeDetail } from "./node-detail";
import { useTable } from "./table-context";
import type { TableRow } from "./table-rows";
import type { RowState } from "./use-row-state";

type NodeRowProps = {
  row: TableRow;
  cells: Cell<TableRow, unknown>[];
  index: number;
  isTabStop: boolean;
  measure: (element: HTMLElement | null) => void;
  state: RowState;
};

/** A row and, when it is open, what can be done with it and seen of it. */
export function NodeRow({ row, cells, index, isTabStop, measure, state }: NodeRowProps) {
  const isSelected = state.selected === row.node;
  const isOpen = state.openNode === row.node;
  const toggle = () => state.toggle(row.node);
  const { measured, unit } = useTable();
  /** What the definition popover says of a number. */
  const meaning = ({ metric, side }: Column) => {
    if (!metric) return {};
    const exact = side ? metricOn(row, metric, side, measured) : metricIn(row, metric, 0, measured);
    return define(metric, { exact, unit: isEffect(metric) ? unit : "", node: row.node });
  };
  return (
    <tbody ref={measure} data-index={index}>
      <tr
        className={isSelected ? "row on" : "row"}
        aria-rowindex={index + 2}
        aria-current={isSelected ? "true" : undefined}
        data-node={row.node}
        tabIndex={isTabStop ? 0 : -1}
        onClick={(event) => {
          if (!isSelecting(event)) toggle();
        }}
      >
        {cells.map((cell) => {
          const column = cell.column.columnDef.meta?.column;
          if (column?.kind === "node") {
            return (
              <th key={cell.id} scope="row" className={column.className}>
                <NodeCell row={row} isOpen={isOpen} onToggle={toggle} />
              </th>
            );
          }
          return (
            <td key={cell.id} className={column?.className} {...(column && meaning(column))}>
              {flexRender(cell.column.columnDef.cell, cell.getContext())}
            </td>
          );
        })}
      </tr>
      {isOpen && (
        <tr className="detail">
          <td colSpan={cells.length}>
            <NodeDetail row={row} state={state} />
          </td>
        </tr>
      )}
    </tbody>
  );
}

/** Dragging over a row's text selects it; that is not a click on the row. */
function isSelecting(event: MouseEvent): boolean {
  const selection = window.getSelection();
  return event.detail < 2 && selection?.type === "Range" && selection.toString().length > 1;
}

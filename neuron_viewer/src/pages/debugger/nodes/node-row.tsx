import { flexRender, type Cell } from "@tanstack/react-table";
import { memo, useMemo, type MouseEvent } from "react";

import type { Explanation } from "@/api/types";
import { define } from "@/lib/define";

import type { Column } from "./column-plan";
import { LabelRow } from "./label-row";
import { isEffect, metricIn, metricOn, type Measured } from "./metrics";
import { NodeCell } from "./node-cell";
import { NodeDetail } from "./node-detail";
import { RowMeasured, useTable } from "./table-context";
import { nodeInCase, type TableRow } from "./table-rows";
import type { RowControls } from "./use-row-state";

type RowLook = { isTabStop: boolean; isSelected: boolean; isOpen: boolean; isScaling: boolean };
type NodeRowProps = {
  row: TableRow;
  cells: Cell<TableRow, unknown>[];
  look: RowLook;
  /** Measured in each case; null while it is to come. */
  effects: readonly (number | null)[];
  /** What is said of its component, where that is to be shown. */
  label: Explanation | null;
  controls: RowControls;
  /** Its place in the table, and how the table learns its height. */
  slot: { index: number; measure: (element: HTMLElement | null) => void };
};

/** A row and, when it is open, what can be done with it and seen of it. */
export const NodeRow = memo(function NodeRow({ row, cells, look, effects, label, controls, slot }: NodeRowProps) {
  const { isSelected, isOpen } = look;
  const { index, measure } = slot;
  const measured = useRowEffects(row, effects);
  const { unit } = useTable();
  const toggle = () => controls.toggle(row.id);
  /** What the definition popover says of a number. */
  const meaning = ({ metric, side }: Column) => {
    if (!metric) return {};
    const exact = side ? metricOn(row, metric, side, measured) : metricIn(row, metric, 0, measured);
    return define(metric, { exact, unit: isEffect(metric) ? unit : "", node: row.node });
  };
  return (
    <RowMeasured value={measured}>
      <tbody ref={measure} data-index={index}>
        <tr
          className={isSelected ? "row on" : "row"}
          aria-rowindex={index + 2}
          aria-current={isSelected ? "true" : undefined}
          data-node={row.id}
          tabIndex={look.isTabStop ? 0 : -1}
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
        {label && !isOpen && <LabelRow label={label} span={cells.length} onClick={toggle} />}
        {isOpen && (
          <tr className="detail">
            <td colSpan={cells.length}>
              <NodeDetail row={row} isScaling={look.isScaling} onScaling={controls.setScaling} />
            </td>
          </tr>
        )}
      </tbody>
    </RowMeasured>
  );
}, isSameRow);

/** A row is drawn again when something of its own changes, not with every effect that is measured. */
function isSameRow(before: NodeRowProps, after: NodeRowProps): boolean {
  return (
    before.row === after.row &&
    before.cells === after.cells &&
    before.label === after.label &&
    before.controls === after.controls &&
    before.slot.index === after.slot.index &&
    before.slot.measure === after.slot.measure &&
    before.look.isTabStop === after.look.isTabStop &&
    before.look.isSelected === after.look.isSelected &&
    before.look.isOpen === after.look.isOpen &&
    before.look.isScaling === after.look.isScaling &&
    before.effects.every((effect, at) => effect === after.effects[at])
  );
}

function useRowEffects(row: TableRow, [left = null, right = null]: readonly (number | null)[]): Measured {
  return useMemo(
    () =>
      [left, right].map((effect, at) => {
        const node = nodeInCase(row, at);
        return new Map(node !== null && effect !== null ? [[node, effect]] : []);
      }),
    [row, left, right],
  );
}

/** Dragging over a row's text selects it; that is not a click on the row. */
function isSelecting(event: MouseEvent): boolean {
  const selection = window.getSelection();
  return event.detail < 2 && selection?.type === "Range" && selection.toString().length > 1;
}

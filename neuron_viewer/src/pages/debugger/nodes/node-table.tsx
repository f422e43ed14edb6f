import { getCoreRowModel, useReactTable, type ColumnDef } from "@tanstack/react-table";
import { useVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useMemo, useRef } from "react";

import type { Sort } from "@/lib/url-state";

import type { ColumnGroup } from "./column-plan";
import { Cell } from "./cell";
import { metricIn } from "./metrics";
import { NodeRow } from "./node-row";
import { TableHead } from "./table-head";
import type { TableRow } from "./table-rows";
import { onRowKey } from "./row-focus";
import type { RowState } from "./use-row-state";
import { labelOf, type Labels } from "./use-labels";
import { useMeasurePlan } from "./use-measure-plan";
import type { NodeTable as Model } from "./use-node-table";

type NodeTableProps = {
  model: Model;
  rowState: RowState;
  sort: Sort;
  /** Explanations to be shown below rows; null for none. */
  labels: Labels | null;
};

const LABEL_HEIGHT = 18;

/** A real table of which only the rows on screen are drawn; blank rows above and below keep its height. */
export function NodeTable({ model, rowState, sort, labels }: NodeTableProps) {
  const { shown, groups, layout } = model;
  const scroller = useRef<HTMLDivElement>(null);
  const rowHeight = model.isPhone ? 40 : 24;
  const columns = useMemo(() => groups.map(columnDef), [groups]);
  const table = useReactTable({
    data: shown,
    columns,
    getCoreRowModel: getCoreRowModel(),
    getRowId: (row) => row.id,
    manualSorting: true,
  });
  const virtual = useVirtualizer({
    count: shown.length,
    getScrollElement: () => scroller.current,
    estimateSize: (index) => rowHeight + (labelAt(shown[index], labels) ? LABEL_HEIGHT : 0),
    getItemKey: (index) => shown[index]?.id ?? index,
    overscan: 6,
    scrollPaddingStart: layout === "diff" ? 44 : 30,
  });
  const items = virtual.getVirtualItems();
  const [first, last] = [items[0], items.at(-1)];
  const { range } = virtual;
  useMeasurePlan(model, range?.startIndex ?? 0, range?.endIndex ?? 30);

  const { selected, openRow, isScaling, controls, takeFocus } = rowState;
  const selectedIndex = shown.findIndex(({ id }) => id === selected);
  useEffect(() => {
    if (selectedIndex < 0) return;
    virtual.scrollToIndex(selectedIndex, { align: "auto" });
    if (!takeFocus()) return;
    const frame = requestAnimationFrame(() => focusRow(scroller.current, selected));
    return () => cancelAnimationFrame(frame);
    // Only a new selection scrolls; rows that arrive or move do not.
    // eslint-disable-next-line react-hooks/exhaustive-deps
  }, [selected]);

  const tableRows = table.getRowModel().rows;
  const nColumns = table.getVisibleLeafColumns().length;
  return (
    <div
      className="scroll node-scroll"
      ref={scroller}
      onKeyDown={(event) => onRowKey(event, shown, rowState)}
    >
      <table className={layout === "diff" ? "table main ldr" : "table main"} aria-rowcount={shown.length + 1}>
        <caption className="sr">Nodes and their effects on the objective</caption>
        <colgroup>
          {groups.flatMap((group) =>
            group.columns.map(({ id, className, width }) => (
              <col key={id} className={className} style={width === null ? undefined : { width }} />
            )),
          )}
        </colgroup>
        <TableHead groups={table.getHeaderGroups()} sort={sort} onSort={model.sortBy} />
        {first && <Blank height={first.start} span={nColumns} />}
        {items.map((item) => {
          const row = tableRows[item.index];
          return (
            row && (
              <NodeRow
                key={row.id}
                row={row.original}
                cells={row.getVisibleCells()}
                look={{
                  isTabStop: item.index === Math.max(0, selectedIndex),
                  isSelected: selected === row.id,
                  isOpen: openRow === row.id,
                  isScaling: openRow === row.id && isScaling,
                }}
                effects={[0, 1].map((at) => metricIn(row.original, "measured_effect", at, model.measured))}
                label={labelAt(row.original, labels)}
                controls={controls}
                slot={{ index: item.index, measure: virtual.measureElement }}
              />
            )
          );
        })}
        {last && <Blank height={virtual.getTotalSize() - last.end} span={nColumns} />}
      </table>
    </div>
  );
}

function labelAt(row: TableRow | undefined, labels: Labels | null) {
  return row && labels ? labelOf(row, labels) : null;
}

function focusRow(table: HTMLElement | null, node: string | null): void {
  table
    ?.querySelector<HTMLElement>(`[data-node="${CSS.escape(node ?? "")}"]`)
    ?.focus({ preventScroll: true });
}

function Blank({ height, span }: { height: number; span: number }) {
  if (height <= 0) return null;
  return (
    <tbody aria-hidden="true">
      <tr className="blank">
        <td colSpan={span} style={{ height }} />
      </tr>
    </tbody>
  );
}

function columnDef(group: ColumnGroup): ColumnDef<TableRow> {
  return {
    id: group.id,
    header: group.label ?? "",
    meta: { group },
    columns: group.columns.map((column) => ({
      id: column.id,
      header: column.label,
      meta: { column },
      cell: ({ row }) => <Cell column={column} row={row.original} />,
    })),
  };
}

import { Menu, MenuItem } from "@/components/menu";
import { downloadText } from "@/lib/download";

import { exportCsv } from "./export-rows";
import type { NodeTable } from "./use-node-table";

/** Makes spreadsheets read the file as UTF-8. */
const BYTE_ORDER_MARK = "\ufeff";

/** The rows as a file: numbers at full precision, with the measured effects known by now. */
export function ExportMenu({ model, nCases }: { model: NodeTable; nCases: number }) {
  const { rows, shown, measured } = model;
  const save = (which: NodeTable["rows"]) =>
    downloadText("nodes.csv", BYTE_ORDER_MARK + exportCsv(which, nCases, measured), "text/csv;charset=utf-8");
  return (
    <Menu trigger="Export" label="Export the rows" className="btn small plain hide-s">
      <MenuItem onSelect={() => save(rows)}>CSV, all {rows.length} rows</MenuItem>
      {shown.length < rows.length && (
        <MenuItem onSelect={() => save(shown)}>CSV, the {shown.length} shown rows</MenuItem>
      )}
    </Menu>
  );
}

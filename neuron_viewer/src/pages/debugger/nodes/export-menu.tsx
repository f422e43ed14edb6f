import * as Menu from "@radix-ui/react-dropdown-menu";

import { exportCsv } from "./export-rows";
import type { NodeTable } from "./use-node-table";

/** The rows as a file: numbers at full precision, with the measured effects known by now. */
export function ExportMenu({ model, nCases }: { model: NodeTable; nCases: number }) {
  const { rows, shown, measured } = model;
  const save = (which: NodeTable["rows"]) => download("nodes.csv", exportCsv(which, nCases, measured));
  return (
    <Menu.Root>
      <Menu.Trigger className="btn small plain hide-s hide-m">Export</Menu.Trigger>
      <Menu.Portal>
        <Menu.Content className="pop menu-list" align="end" sideOffset={4} collisionPadding={8}>
          <Menu.Item onSelect={() => save(rows)}>CSV, all {rows.length} rows</Menu.Item>
          {shown.length < rows.length && (
            <Menu.Item onSelect={() => save(shown)}>CSV, the {shown.length} shown rows</Menu.Item>
          )}
        </Menu.Content>
      </Menu.Portal>
    </Menu.Root>
  );
}

function download(name: string, text: string): void {
  // The byte order mark makes spreadsheets read UTF-8.
  const url = URL.createObjectURL(new Blob(["\ufeff", text], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  link.click();
  URL.revokeObjectURL(url);
}

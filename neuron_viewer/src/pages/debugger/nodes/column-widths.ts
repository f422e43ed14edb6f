/** Widths of the text columns: fixed, since only the rows on screen are there to be laid out. */

import type { TableRow } from "./table-rows";

/** Width of a monospace character at the table's size, in px. */
const CHARACTER = 7;
const INDEX_CHARACTER = 6;

export function nodeWidth(rows: readonly TableRow[]): number {
  const longest = rows.reduce((most, { node }) => Math.max(most, node.length), 12);
  const tag = rows.some(({ row, only }) => row.edited || only) ? 62 : 0;
  return Math.min(40 + longest * CHARACTER + tag, 300);
}

export function tokenWidth(rows: readonly TableRow[]): number {
  const widest = rows.reduce((most, { token, keyToken }) => {
    const width = [token, keyToken].reduce(
      (sum, at) =>
        sum + (at ? at.text.length * CHARACTER + String(at.position).length * INDEX_CHARACTER + 3 : 0),
      keyToken ? 22 : 0,
    );
    return Math.max(most, width);
  }, 60);
  return Math.min(14 + widest, 190);
}

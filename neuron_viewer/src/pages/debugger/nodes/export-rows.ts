/** The rows as CSV: every number at full precision, with the flag the table shows. */

import { flagIn } from "./disagreement";
import { METRICS, metricIn, type Measured } from "./metrics";
import type { TableRow } from "./table-rows";

/** Quoted where RFC 4180 asks for it. A text that a spreadsheet would run as a formula is made plain text. */
function cell(value: string | number | null): string {
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  const text = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

export function exportCsv(rows: readonly TableRow[], nCases: number, measured: Measured): string {
  const sides = nCases > 1 ? ["left_", "right_"] : [""];
  const places = [
    "node",
    "component",
    "kind",
    "layer",
    "index",
    "position",
    "token",
    "key_position",
    "key_token",
  ];
  const header = [
    ...places,
    ...sides.flatMap((side) => [...METRICS.map((metric) => side + metric), `${side}flag`]),
  ];
  const lines = rows.map((row) => [
    row.node,
    row.row.component,
    row.row.kind,
    row.row.layer,
    row.row.index,
    row.token?.position ?? null,
    row.token?.text ?? null,
    row.keyToken?.position ?? null,
    row.keyToken?.text ?? null,
    ...sides.flatMap((_, at) => [
      ...METRICS.map((metric) => metricIn(row, metric, at, measured)),
      flagIn(row, at, measured) ?? "",
    ]),
  ]);
  return [header, ...lines].map((line) => line.map(cell).join(",")).join("\r\n") + "\r\n";
}

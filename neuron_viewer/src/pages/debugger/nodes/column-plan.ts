/** Which columns the table has: one of each metric, or three of each chosen metric when two cases are compared. */

import { sortKey } from "./sorting";
import { isEffect, METRIC_LABELS, METRICS, type Metric, type Side } from "./metrics";
import { nodeWidth, tokenWidth } from "./column-widths";
import type { TableRow } from "./table-rows";

export type Layout = "values" | "diff";
/** What the columns chooser offers. */
export type Choice = "token" | Metric | "promotes";

export const CHOICES: readonly Choice[] = ["token", ...METRICS, "promotes"];
export const CHOICE_LABELS: Record<Choice, string> = {
  token: "Token",
  ...METRIC_LABELS,
  promotes: "Promotes, suppresses",
};
export const DEFAULT_CHOICES: Record<Layout, readonly Choice[]> = {
  values: CHOICES,
  diff: ["token", "direct_effect", "total_effect"],
};

/** The token stands below the node there; the rest is in the open row. */
export const PHONE_CHOICES: Record<Layout, readonly Choice[]> = {
  values: ["total_effect", "measured_effect"],
  diff: ["total_effect"],
};

export type Column = {
  id: string;
  kind: "node" | "token" | "value" | "flag" | "promotes";
  label: string;
  /** Class names of the style sheet. */
  className: string;
  /** CSS length; null takes what is left. */
  width: string | null;
  metric?: Metric;
  side?: Side;
};

const CLASSES: Record<Metric, string> = {
  activation: "c-act",
  write_magnitude: "c-wr",
  direct_effect: "c-dir",
  total_effect: "c-tot",
  measured_effect: "c-mea",
};
const SIDES: readonly Side[] = ["left", "diff", "right"];
const SIDE_LABELS: Record<Side, string> = { left: "Left", diff: "Diff", right: "Right" };
const SIDE_CLASSES: Record<Side, string> = { left: "L", diff: "D", right: "R" };

function valueColumn(metric: Metric): Column {
  const bar = isEffect(metric);
  const width =
    metric === "total_effect" ? "max(146px, calc(var(--tw, 64px) + 82px))" : "calc(var(--tw, 64px) + 57px)";
  return {
    id: metric,
    kind: "value",
    label: METRIC_LABELS[metric],
    className: `${CLASSES[metric]} num`,
    width: bar ? width : "62px",
    metric,
  };
}

function sideColumn(metric: Metric, side: Side): Column {
  const isDiff = side === "diff";
  return {
    id: isDiff ? metric : `${metric}:${side}`,
    kind: "value",
    label: SIDE_LABELS[side],
    className: `${CLASSES[metric]} num ${SIDE_CLASSES[side]}`,
    width: isDiff && isEffect(metric) ? "calc(var(--tw, 64px) + 64px)" : "68px",
    metric,
    side,
  };
}

/** A group has a header above its columns; the others stand alone. */
export type ColumnGroup = { id: string; label: string | null; metric?: Metric; columns: Column[] };

const alone = (column: Column): ColumnGroup => ({ id: `${column.id}-alone`, label: null, columns: [column] });

export function columnGroups(
  layout: Layout,
  chosen: readonly Choice[],
  rows: readonly TableRow[],
): ColumnGroup[] {
  const has = (choice: Choice) => chosen.includes(choice);
  const groups: ColumnGroup[] = [
    alone({ id: "node", kind: "node", label: "Node", className: "c-node", width: `${nodeWidth(rows)}px` }),
  ];
  if (has("token")) {
    groups.push(
      alone({
        id: "token",
        kind: "token",
        label: "Token",
        className: "c-tok",
        width: `${tokenWidth(rows)}px`,
      }),
    );
  }
  for (const metric of METRICS.filter(has)) {
    if (layout === "values") groups.push(alone(valueColumn(metric)));
    else {
      const columns = SIDES.map((side) => sideColumn(metric, side));
      groups.push({ id: `${metric}-group`, label: METRIC_LABELS[metric], metric, columns });
    }
  }
  if (layout === "values" && has("measured_effect")) {
    groups.push(alone({ id: "flag", kind: "flag", label: "Flag", className: "c-flag", width: "18px" }));
  }
  if (has("promotes")) {
    groups.push(
      alone({
        id: "promotes",
        kind: "promotes",
        label: "Promotes +, suppresses \u2212",
        className: "c-pro",
        width: null,
      }),
    );
  }
  return groups;
}

/** Whether a header's column is what the rows are sorted by. */
export function isSortedBy(column: Column, sortedBy: string): boolean {
  const key = sortKey(sortedBy);
  if (column.kind !== "value") return key.column === column.kind;
  return key.column === column.metric && (column.side === undefined || column.side === key.side);
}

import { Fragment } from "react";

import { define } from "@/lib/define";
import { formatEffect, formatMagnitude } from "@/lib/format";

import { isEffect, METRIC_LABELS, metricIn, METRICS } from "./metrics";
import { useRowMeasured, useTable } from "./table-context";
import type { TableRow } from "./table-rows";

const SIDES = ["Left", "Right"];

/** All numbers of the row, in each case: on a phone the table has no room for them. */
export function RowFigures({ row }: { row: TableRow }) {
  const { view, unit } = useTable();
  const measured = useRowMeasured();
  const { cases } = view.response;
  return (
    <dl className={cases.length > 1 ? "figures two" : "figures"}>
      {cases.length > 1 && (
        <>
          <dt />
          {SIDES.map((side) => (
            <dd key={side} className="label">
              {side}
            </dd>
          ))}
        </>
      )}
      {METRICS.map((metric) => (
        <Fragment key={metric}>
          <dt>{METRIC_LABELS[metric]}</dt>
          {cases.map((_, at) => {
            const value = metricIn(row, metric, at, measured);
            const meaning = define(metric, {
              exact: value,
              unit: isEffect(metric) ? unit : "",
              node: row.node,
            });
            return (
              <dd key={at} {...(value !== null && { tabIndex: 0, ...meaning })}>
                {isEffect(metric) ? formatEffect(value) : formatMagnitude(value)}
              </dd>
            );
          })}
        </Fragment>
      ))}
    </dl>
  );
}

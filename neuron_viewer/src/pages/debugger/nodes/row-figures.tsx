import { define } from "@/lib/define";
import { formatEffect, formatMagnitude } from "@/lib/format";

import { isEffect, METRIC_LABELS, metricIn, METRICS } from "./metrics";
import { useTable } from "./table-context";
import type { TableRow } from "./table-rows";

/** All numbers of the row, in each case: on a phone the table has no room for them. */
export function RowFigures({ row }: { row: TableRow }) {
  const { view, measured, unit } = useTable();
  const { cases } = view.response;
  return (
    <table className="figures">
      {cases.length > 1 && (
        <thead>
          <tr>
            <td />
            <th scope="col">Left</th>
            <th scope="col">Right</th>
          </tr>
        </thead>
      )}
      <tbody>
        {METRICS.map((metric) => (
          <tr key={metric}>
            <th scope="row">{METRIC_LABELS[metric]}</th>
            {cases.map((_, at) => {
              const value = metricIn(row, metric, at, measured);
              const meaning = define(metric, {
                exact: value,
                unit: isEffect(metric) ? unit : "",
                node: row.node,
              });
              return (
                <td key={at} className="num" tabIndex={value === null ? undefined : 0} {...meaning}>
                  {isEffect(metric) ? formatEffect(value) : formatMagnitude(value)}
                </td>
              );
            })}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

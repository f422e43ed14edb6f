import { Track, ValueBar } from "@/components/value-bar";
import { formatEffect, formatMagnitude, isZeroEffect } from "@/lib/format";

import { flagIn } from "./disagreement";
import { isEffect, metricIn, metricOn, type Metric, type Side } from "./metrics";
import { useRowMeasured, useTable } from "./table-context";
import { measurableIn, type TableRow } from "./table-rows";

type ValueCellProps = { row: TableRow; metric: Metric; side?: Side | undefined };

/** One metric of a row: of the case that is shown, or of one side of the comparison. */
export function ValueCell({ row, metric, side }: ValueCellProps) {
  const measured = useRowMeasured();
  const value = side ? metricOn(row, metric, side, measured) : metricIn(row, metric, 0, measured);
  if (value === null && metric === "measured_effect" && isAwaited(row, side)) {
    return <Awaited hasTrack={side === undefined || side === "diff"} />;
  }
  if (!isEffect(metric)) return <Magnitude value={value} isChange={side === "diff"} />;
  if (side && side !== "diff") return <Effect value={value} />;
  return <Bar row={row} metric={metric} value={value} isChange={side === "diff"} />;
}

function Bar({
  row,
  metric,
  value,
  isChange,
}: {
  row: TableRow;
  metric: Metric;
  value: number | null;
  isChange: boolean;
}) {
  const { scale } = useTable();
  const measured = useRowMeasured();
  if (metric !== "measured_effect" || isChange) {
    return <ValueBar value={value} scale={scale} estimated={metric === "total_effect"} />;
  }
  const estimate = metricIn(row, "total_effect", 0, measured);
  return (
    <ValueBar value={value} scale={scale} estimate={estimate} disagrees={flagIn(row, 0, measured) !== null} />
  );
}

function Effect({ value }: { value: number | null }) {
  return (
    <span className={value === null || isZeroEffect(value) ? "quiet" : undefined}>{formatEffect(value)}</span>
  );
}

function Magnitude({ value, isChange }: { value: number | null; isChange: boolean }) {
  const sign = isChange && value !== null && value > 0 ? "+" : "";
  return (
    <span className={value === null || value === 0 ? "quiet" : undefined}>
      {sign + formatMagnitude(value)}
    </span>
  );
}

/** Holds the place of a value that is still to come. */
function Awaited({ hasTrack }: { hasTrack: boolean }) {
  return (
    <span className="vb">
      <span className="pend" title="Not measured yet" />
      {hasTrack && <Track value={null} scale={1} />}
    </span>
  );
}

/** A case without the node has nothing to wait for. */
function isAwaited(row: TableRow, side: Side | undefined): boolean {
  const left = measurableIn(row, 0) !== null;
  if (side === undefined || side === "left") return left;
  const right = measurableIn(row, 1) !== null;
  return side === "right" ? right : left && right;
}

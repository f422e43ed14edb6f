import { formatCount } from "@/lib/format";

import type { MeasureProgress } from "./measure-progress";
import { useAnnouncement } from "./use-announcement";

type MeasureStatusProps = {
  progress: MeasureProgress;
  /** Rows that would stand elsewhere if the table were arranged by what is known now. */
  moved: number;
  onArrange: () => void;
  /** Given when measuring has stopped before the end of a long table. */
  onMeasureAll: (() => void) | null;
  flaggedOnly: boolean;
  onFlaggedOnly: (on: boolean) => void;
};

/** How many effects are measured, how well the estimates rank them, and how many disagree. */
export function MeasureStatus(props: MeasureStatusProps) {
  const { progress, moved, onArrange, onMeasureAll, flaggedOnly, onFlaggedOnly } = props;
  const { done, total, correlation, disagree } = progress;
  const share = total > 0 ? done / total : 0;
  const announced = useAnnouncement(`${done} of ${total} measured`);
  return (
    <span className="meas">
      <span className="mprog" aria-hidden="true">
        <i style={{ width: `${100 * share}%` }} />
      </span>
      <span>
        Measured {formatCount(done)} of {formatCount(total)}
      </span>
      {onMeasureAll && (
        <button type="button" className="disagree" onClick={onMeasureAll}>
          <u>measure all</u>
        </button>
      )}
      {correlation !== null && <span className="sep" />}
      {correlation !== null && (
        <span title="Spearman's rank correlation of estimate and measured effect, so far">
          rank corr. <b>{correlation.toFixed(2).replace("-", "\u2212")}</b>
        </span>
      )}
      {(disagree > 0 || flaggedOnly) && <span className="sep" />}
      {(disagree > 0 || flaggedOnly) && (
        <button
          type="button"
          className={flaggedOnly ? "disagree on alert" : "disagree alert"}
          aria-pressed={flaggedOnly}
          title={flaggedOnly ? "Show all rows" : "Show only the rows that disagree"}
          onClick={() => onFlaggedOnly(!flaggedOnly)}
        >
          <b>{disagree}</b> disagree
        </button>
      )}
      {moved > 0 && <span className="sep" />}
      {moved > 0 && (
        <button type="button" className="disagree" onClick={onArrange}>
          {moved} {moved === 1 ? "row" : "rows"} moved, <u>re-sort</u>
        </button>
      )}
      <span className="sr" role="status">
        {announced}
      </span>
    </span>
  );
}

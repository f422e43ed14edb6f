import type { Explanation } from "@/api/types";
import { scoreText } from "@/components/score-bar";
import { define } from "@/lib/define";
import { unbroken } from "@/lib/unbroken";

/**
 * A second line of a row: what its component responds to, and how well that is known. What does not fit is cut, and
 * laid over the rows below while the pointer is on it or the row has the focus.
 */
export function LabelRow({ label, span, onClick }: { label: Explanation; span: number; onClick: () => void }) {
  return (
    <tr className="labelrow" onClick={onClick}>
      <td colSpan={span}>
        <div className="labeltext">
          {label.score !== null && (
            <span className="labelscore" {...define("explanation_score", { exact: label.score })}>
              {scoreText(label.score)}
            </span>
          )}
          {unbroken(label.text)}
        </div>
      </td>
    </tr>
  );
}

import type { Explanation } from "@/api/types";

import type { RecordState } from "../use-record";
import { ScoreBar } from "@/components/score-bar";
import type { SideRecord } from "./sides";

export interface ExplanationSlotProps {
  component: string;
  side: SideRecord;
  record: RecordState;
}

/** The best explanation of one side with its score and who made it, the others below on demand. */
export function ExplanationSlot({ side, record }: ExplanationSlotProps) {
  const [best, ...others] = side.explanations;
  if (record.state === "loading") return <p className="exp quiet">{"\u00a0"}</p>;
  if (!best) return <p className="exp mid none">No explanation of this side yet.</p>;
  return (
    <>
      <p className="exp">{best.text}</p>
      <ScoreBar explanation={best} />
      {others.length > 0 && <Others explanations={others} />}
    </>
  );
}

function Others({ explanations }: { explanations: readonly Explanation[] }) {
  return (
    <details className="others">
      <summary className="note">
        {explanations.length} more {explanations.length === 1 ? "explanation" : "explanations"}
      </summary>
      <ul>
        {explanations.map((one, index) => (
          <li key={index}>
            <span>{one.text}</span>
            <ScoreBar explanation={one} />
          </li>
        ))}
      </ul>
    </details>
  );
}

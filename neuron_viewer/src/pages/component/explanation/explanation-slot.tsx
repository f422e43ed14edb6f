import type { Explanation } from "@/api/types";
import { ScoreBar } from "@/components/score-bar";
import { unbroken } from "@/lib/unbroken";

import type { RecordState } from "../use-record";
import { DeleteButton } from "./delete-button";
import { ExplainButton } from "./explain-button";
import type { SideRecord } from "./sides";

export interface ExplanationSlotProps {
  component: string;
  side: SideRecord;
  record: RecordState;
  /** Id of the explanation whose simulation is open. */
  compared: string | null;
  onCompare: (explanation: Explanation) => void;
  onWrite: () => void;
}

/** The best explanation of one side with its score and who made it, the others below on demand. */
export function ExplanationSlot({ component, side, record, compared, onCompare, onWrite }: ExplanationSlotProps) {
  const [best, ...others] = side.explanations;
  if (record.state !== "loaded") {
    if (best) return <Told explanation={best} />;
    return (
      <p className="exp mid none">{record.state === "loading" ? "\u00a0" : "No explanation of this side is stored."}</p>
    );
  }
  return (
    <>
      {best ? (
        <>
          <p className="exp">{unbroken(best.text)}</p>
          <ScoreBar explanation={best} />
        </>
      ) : (
        <p className="exp mid none">No explanation of this side yet.</p>
      )}
      <span className="sideacts">
        {best && (
          <CompareButton explanation={best} isOpen={compared === best.id} onCompare={onCompare} />
        )}
        {best && <DeleteButton component={component} explanation={best} />}
        <button type="button" className="btn small plain" onClick={onWrite}>
          Write your own
        </button>
        <ExplainButton component={component} dataset={record.record.dataset} />
      </span>
      {others.length > 0 && (
        <Others component={component} explanations={others} compared={compared} onCompare={onCompare} />
      )}
    </>
  );
}

/** One that is stored, where the record that it can be tried on is missing. */
function Told({ explanation }: { explanation: Explanation }) {
  return (
    <>
      <p className="exp">{unbroken(explanation.text)}</p>
      <ScoreBar explanation={explanation} />
    </>
  );
}

interface OthersProps extends Pick<ExplanationSlotProps, "component" | "compared" | "onCompare"> {
  explanations: readonly Explanation[];
}

/** Those that the best one beat, with their scores. */
function Others({ component, explanations, compared, onCompare }: OthersProps) {
  return (
    <details className="others">
      <summary className="note">
        Best of {explanations.length + 1}: {explanations.length} more
      </summary>
      <ul>
        {explanations.map((one) => (
          <li key={one.id}>
            <span>{unbroken(one.text)}</span>
            <ScoreBar explanation={one} />
            <CompareButton explanation={one} isOpen={compared === one.id} onCompare={onCompare} />
            <DeleteButton component={component} explanation={one} />
          </li>
        ))}
      </ul>
    </details>
  );
}

interface CompareButtonProps extends Pick<ExplanationSlotProps, "onCompare"> {
  explanation: Explanation;
  isOpen: boolean;
}

function CompareButton({ explanation, isOpen, onCompare }: CompareButtonProps) {
  return (
    <button
      type="button"
      className="btn small plain"
      aria-expanded={isOpen}
      title="True activations beside those that this explanation predicts"
      onClick={() => {
        onCompare(explanation);
      }}
    >
      Compare
    </button>
  );
}

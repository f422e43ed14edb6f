import type { Through } from "@/lib/question";

import { THROUGH_LABEL, throughOf, type RowActions } from "./row-actions";

type TraceButtonsProps = { trace: RowActions["trace"]; onTrace: (through: Through | null) => void };

const KEYS: Record<Through, string> = { query: "q", key: "w", query_and_key: "b", value: "v" };

/** Explain the row itself instead of the logits: a head through one of its inputs, others as they are. */
export function TraceButtons({ trace, onTrace }: TraceButtonsProps) {
  if (trace === null) return null;
  if (trace === "whole" || trace === "missed") {
    const what = trace === "whole" ? "its pre-activation" : "what it adds to the number explained now";
    return (
      <button
        type="button"
        className="btn small"
        title={`Explain ${what} (q)`}
        onClick={() => onTrace(throughOf(trace, "value"))}
      >
        Trace
      </button>
    );
  }
  return (
    <>
      <span className="label tl" id="trace-through">
        Trace through
      </span>
      <span className="seg" role="group" aria-labelledby="trace-through">
        {trace.map((through) => (
          <button
            key={through}
            type="button"
            title={`Explain its attention through ${THROUGH_LABEL[through]} (${KEYS[through]})`}
            aria-keyshortcuts={KEYS[through]}
            onClick={() => onTrace(through)}
          >
            {THROUGH_LABEL[through]}
          </button>
        ))}
      </span>
    </>
  );
}

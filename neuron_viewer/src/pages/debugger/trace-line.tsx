import { isComparison } from "@/lib/question";

import { ObjectiveFormula, traceName } from "./objective-text";
import type { PageState } from "./page-state";

/** What is explained, level by level; each is a link back, and Clear drops the last. */
export function TraceLine({ page }: { page: PageState }) {
  const { question, actions, result } = page;
  const { traces, left } = question;
  if (traces.length === 0 && !isComparison(question)) return null;
  // Under a trace the answer's own position is the traced node's.
  const n_tokens = result.answered?.response.cases[0]?.tokens.length;
  const position = left.position >= 0 || !n_tokens ? left.position : n_tokens - 1;
  const objective = (
    <>
      <ObjectiveFormula spec={left} />
      {position >= 0 && ` at ${position}`}
    </>
  );
  if (traces.length === 0) {
    return (
      <nav className="crumb" aria-label="What is explained">
        <span className="label">Explaining</span>
        <span>{objective}</span>
        <span className="note">trace a row to explain its activation or attention score instead</span>
      </nav>
    );
  }
  return (
    <div>
      <nav className="crumb deep" aria-label="What is explained">
        <span className="label">Explaining</span>
        <button type="button" className="link" onClick={() => { actions.keepTrace(0); }}>
          {objective}
        </button>
        {traces.map((level, depth) => (
          <span key={depth} className="contents">
            <span className="quiet" aria-hidden="true">
              {"\u203a"}
            </span>
            {depth === traces.length - 1 ? (
              <b className="mono" aria-current="step">
                {traceName(level)}
              </b>
            ) : (
              <button type="button" className="link mono" onClick={() => { actions.keepTrace(depth + 1); }}>
                {traceName(level)}
              </button>
            )}
          </span>
        ))}
        <button
          type="button"
          className="btn small"
          title="Go back one level"
          onClick={() => { actions.keepTrace(traces.length - 1); }}
        >
          Clear
        </button>
        {traces.length > 1 && (
          <button type="button" className="btn small plain" onClick={() => { actions.keepTrace(0); }}>
            Clear all
          </button>
        )}
        <span className="note">blue now means {"\u201c"}raises it{"\u201d"}</span>
      </nav>
    </div>
  );
}

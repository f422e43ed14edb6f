import type { PageState } from "../page-state";
import { Figures } from "./figures";
import { Interventions } from "./interventions";
import { Kinds } from "./kinds";
import { Listed } from "./listed";

/** The answer: the objective, its parts, what the rows hold, and the edits behind it. */
export function AnswerPanel({ page }: { page: PageState }) {
  const { result } = page;
  const { answered } = result;
  const [left, right = null] = answered?.response.cases ?? [];
  return (
    <section className="answer" aria-label="Answer" aria-busy={result.computing}>
      {answered && left ? (
        <div className={result.stale ? "parts stale" : "parts"}>
          <Figures left={left} right={right} request={answered.request} />
          <Kinds
            left={left}
            right={right}
            bases={{ attn: answered.request.attention_basis, mlp: answered.request.mlp_basis }}
          />
          {!right && <Listed result={left} />}
        </div>
      ) : (
        <div className="parts waiting note">{result.error && "This question has no answer yet."}</div>
      )}
      <Interventions page={page} />
    </section>
  );
}

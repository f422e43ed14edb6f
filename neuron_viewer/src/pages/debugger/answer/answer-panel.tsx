import type { PageState } from "../page-state";
import { Figures } from "./figures";
import { Interventions } from "./interventions";
import { Kinds } from "./kinds";
import { Listed } from "./listed";

/** The answer: the objective, its parts, what the rows hold, and the edits behind it. */
export function AnswerPanel({ page }: { page: PageState }) {
  const { result, question } = page;
  const [left, right = null] = result.answered?.response.cases ?? [];
  return (
    <section className="answer" aria-label="Answer" aria-busy={result.computing}>
      {left ? (
        <div className={result.stale ? "parts stale" : "parts"}>
          <Figures left={left} right={right} question={question} />
          <Kinds
            left={left}
            right={right}
            bases={{ attn: question.attention_basis, mlp: question.mlp_basis }}
          />
          {!right && <Listed result={left} />}
        </div>
      ) : (
        <div className="parts waiting" />
      )}
      <Interventions page={page} />
    </section>
  );
}

import { useQuery } from "@tanstack/react-query";

import { ApiError } from "@/api/errors";
import { tokenizeQuery } from "@/api/queries";
import { CopyButton } from "@/components/copy-button";
import { ErrorNote } from "@/components/error-note";
import { formatCount } from "@/lib/format";
import { exampleQuestion, toRequest } from "@/lib/question";

import type { PageState } from "../page-state";
import { withPrompt } from "./use-prompt-edit";

/** Why the question has no answer, and what can be done about it. The last good answer stays below. */
export function QuestionError({ page }: { page: PageState }) {
  const { error, answered, run } = page.result;
  const [example] = page.model.examples;
  // A server that is not there is told once, under the top bar.
  if (!error || (error instanceof ApiError && error.isLost)) return null;
  const isTooLong = error instanceof ApiError && error.status === 413;
  // A busy or failing server may answer the same question later; a wrong question stays wrong.
  const isOurs = !(error instanceof ApiError) || error.status >= 500;
  const details = () => JSON.stringify({ error: { ...error, message: error.message }, request: toRequest(page.question) });
  return (
    <section className="panel pad" aria-label="Error">
      <ErrorNote error={error}>
        {isTooLong && <KeepEnd page={page} />}
        {answered ? (
          <button type="button" className="btn small" onClick={page.actions.undo}>
            Back to the last question
          </button>
        ) : (
          example && (
            <button
              type="button"
              className="btn small"
              onClick={() => { page.actions.ask(() => exampleQuestion(example)); }}
            >
              Start from an example
            </button>
          )
        )}
        {isOurs && (
          <button type="button" className="btn small" onClick={run}>
            Try again
          </button>
        )}
        <CopyButton text={details} className="btn small plain">
          Copy details
        </CopyButton>
      </ErrorNote>
    </section>
  );
}

function KeepEnd({ page }: { page: PageState }) {
  const { prompt } = page.question.left;
  const { data } = useQuery(tokenizeQuery(prompt));
  const limit = page.model.n_ctx;
  if (!data || data.tokens.length <= limit) return null;
  const end = data.tokens
    .slice(-limit)
    .map((token) => token.text)
    .join("");
  return (
    <button
      type="button"
      className="btn small"
      onClick={() => { page.actions.ask((now) => withPrompt(now, "left", end)); }}
    >
      Keep the last {formatCount(limit)}
    </button>
  );
}

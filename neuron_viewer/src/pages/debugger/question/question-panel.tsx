import { ApiError } from "@/api/errors";
import { type QuestionCase, swapTokens } from "@/lib/question";
import { useKeys } from "@/lib/use-keys";

import { ExportMenu } from "../export/export-menu";
import type { PageState, Side } from "../page-state";
import { TourButton } from "../tour/tour-button";
import { ExamplesMenu } from "./examples-menu";
import { Pairing } from "./pairing";
import { PromptLine } from "./prompt-line";
import { QuestionOptions } from "./question-options";
import { RunStatus } from "./run-status";
import { usePromptEdit } from "./use-prompt-edit";

/** The question: prompts as tokens, what is asked of them, and Run. */
export function QuestionPanel({ page }: { page: PageState }) {
  const { question, result, actions } = page;
  const edit = usePromptEdit(page);
  const refused = refusedField(result.error);
  useKeys({
    e: () => { edit.open("left"); },
    x: () => {
      actions.ask((now) => ({ ...now, left: swapTokens(now.left), right: now.right && swapTokens(now.right) }));
    },
    Enter: () => { edit.run(); },
    "ctrl+Enter": () => { edit.run(); },
  });
  function change(side: Side) {
    return (spec: QuestionCase) => {
      actions.ask((now) => ({ ...now, [side]: spec }));
    };
  }
  const isTracing = question.traces.length > 0;
  return (
    <section className={isTracing ? "question dimmed" : "question"} aria-label="Question">
      <PromptLine page={page} side="left" edit={edit} />
      {question.right && (
        <div className="controls">
          <Pairing side="left" spec={question.left} refused={refused[0]} onChange={change("left")} />
        </div>
      )}
      <PromptLine page={page} side="right" edit={edit} />
      <div className="controls">
        <Pairing
          side={question.right && "right"}
          spec={question.right ?? question.left}
          refused={refused[question.right ? 1 : 0]}
          onChange={change(question.right ? "right" : "left")}
        />
        <QuestionOptions page={page} />
        <span className="end">
          {result.computing && <RunStatus onCancel={result.cancel} />}
          <TourButton />
          <ExamplesMenu page={page} />
          <ExportMenu page={page} />
          {!question.right && edit.side !== "right" && (
            <button type="button" className="btn second" onClick={() => { edit.open("right"); }}>
              Add second prompt
            </button>
          )}
          <button type="button" className="btn primary" onClick={edit.run}>
            Run <kbd>{"\u21b5"}</kbd>
          </button>
        </span>
      </div>
    </section>
  );
}

/** The field that the server refused, in the left and in the right case. */
function refusedField(error: Error | null): [string | null, string | null] {
  const field = error instanceof ApiError ? error.field : null;
  if (!field) return [null, null];
  return field.side === 1 ? [null, field.name] : [field.name, null];
}

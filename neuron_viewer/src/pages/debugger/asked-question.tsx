import { useMemo } from "react";
import { useLocation, useNavigate } from "react-router";

import type { ModelResponse } from "@/api/types";
import { ErrorBoundary } from "@/components/error-boundary";
import { visibleText } from "@/lib/format";
import { type Question, toRequest } from "@/lib/question";
import { readUi } from "@/lib/url-state";
import { useKeys } from "@/lib/use-keys";

import { AnswerPanel } from "./answer/answer-panel";
import { QuestionError } from "./question/question-error";
import { QuestionPanel } from "./question/question-panel";
import { WaitingPanels } from "./first-load";
import { NodePanel } from "./nodes/node-panel";
import { createActions } from "./page-actions";
import type { PageState } from "./page-state";
import { Rail } from "./rail/rail";
import { Tour } from "./tour/tour";
import { TraceLine } from "./trace-line";
import { useResult } from "./use-result";
import type { DebugView } from "./view";

/** One question with its answer: the whole page below the top bar. */
export function AskedQuestion({ model, question }: { model: ModelResponse; question: Question }) {
  const navigate = useNavigate();
  const { search } = useLocation();
  const ui = useMemo(() => readUi(new URLSearchParams(search)), [search]);
  const result = useResult(useMemo(() => toRequest(question), [question]));
  const { answered, stale } = result;
  const actions = useMemo(
    () =>
      createActions(navigate, (node) => answered?.response.nodes.find((row) => row.case_nodes[0] === node), model),
    [navigate, answered, model],
  );
  useKeys({ u: actions.undo, U: actions.redo });

  const view = useMemo<DebugView | null>(
    () => (answered ? { ...answered, stale, glossary: model.glossary, model } : null),
    [answered, stale, model],
  );
  const page: PageState = { model, question, ui, result, actions };
  return (
    <>
      <title>{`Debugger: ${visibleText(question.left.prompt.slice(0, 40)).replaceAll("\u00b7", " ")}`}</title>
      <ErrorBoundary name="Question">
        <QuestionPanel page={page} />
      </ErrorBoundary>
      <QuestionError page={page} />
      <ErrorBoundary name="Answer">
        <AnswerPanel page={page} />
      </ErrorBoundary>
      <TraceLine page={page} />
      {view ? (
        <div className={stale ? "work stale" : "work"}>
          <div className="left">
            <ErrorBoundary name="Nodes">
              <NodePanel view={view} ui={ui} actions={actions} />
            </ErrorBoundary>
          </div>
          <ErrorBoundary name="Next token, map and pattern">
            <Rail view={view} ui={ui} actions={actions} />
          </ErrorBoundary>
        </div>
      ) : (
        !result.error && <WaitingPanels />
      )}
      <Tour page={page} />
    </>
  );
}

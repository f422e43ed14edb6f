import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Navigate, useLocation, useNavigate } from "react-router";

import { debugQuery, modelQuery } from "@/api/queries";
import type { ModelResponse } from "@/api/types";
import { Async } from "@/components/async";
import { ErrorBoundary } from "@/components/error-boundary";
import { exampleQuestion, type Question, toRequest } from "@/lib/question";
import { DEFAULT_UI, readQuestion, readUi, writeState } from "@/lib/url-state";

import { NodePanel } from "./nodes/node-panel";
import { createActions } from "./page-actions";
import { Rail } from "./rail/rail";
import type { DebugView } from "./view";

export function DebuggerPage() {
  const model = useQuery(modelQuery());
  return (
    <main className="dbg">
      <Async query={model}>{(loaded) => <AskedPage model={loaded} />}</Async>
    </main>
  );
}

/** The question of the URL; on a bare URL the model's first example, so that nothing needs typing. */
function AskedPage({ model }: { model: ModelResponse }) {
  const { search } = useLocation();
  const question = useMemo(() => readQuestion(new URLSearchParams(search)), [search]);
  const [example] = model.examples;
  if (question) return <Debugger model={model} question={question} />;
  if (!example) return null;
  const first = writeState(exampleQuestion(example), DEFAULT_UI).toString();
  return <Navigate to={{ search: first }} replace />;
}

function Debugger({ model, question }: { model: ModelResponse; question: Question }) {
  const navigate = useNavigate();
  const { search } = useLocation();
  const ui = useMemo(() => readUi(new URLSearchParams(search)), [search]);
  const result = useQuery({ ...debugQuery(toRequest(question)), placeholderData: keepPreviousData });
  const { data, isPlaceholderData: stale } = result;
  const nodes = data?.response.nodes;
  const actions = useMemo(
    () => createActions(navigate, (node) => nodes?.find((row) => row.node === node)),
    [navigate, nodes],
  );
  const view = useMemo<DebugView | null>(
    () => (data ? { ...data, stale, glossary: model.glossary, model } : null),
    [data, stale, model],
  );
  return (
    <Async query={result}>
      {() =>
        view && (
          <div className="work">
            <div className="left">
              <ErrorBoundary name="Nodes">
                <NodePanel view={view} ui={ui} actions={actions} />
              </ErrorBoundary>
            </div>
            <ErrorBoundary name="Next token, map and pattern">
              <Rail view={view} ui={ui} actions={actions} />
            </ErrorBoundary>
          </div>
        )
      }
    </Async>
  );
}

import "./debugger.css";

import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { Navigate, useLocation } from "react-router";

import { modelQuery } from "@/api/queries";
import type { ModelResponse } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { emptyQuestion, exampleQuestion } from "@/lib/question";
import { DEFAULT_UI, readQuestion, writeState } from "@/lib/url-state";

import { AskedQuestion } from "./asked-question";
import { FirstLoad } from "./first-load";
import { TourNotice } from "./tour/tour-notice";
import { TourProvider } from "./tour/tour-provider";

export function DebuggerPage() {
  const { data, error } = useQuery(modelQuery());
  return (
    <main className="dbg" id="page">
      <h1 className="sr">Debugger</h1>
      <TourProvider>
        <TourNotice />
        {data ? <QuestionOfUrl model={data} /> : <FirstLoad />}
      </TourProvider>
      {!data && error && <ErrorNote error={error} />}
    </main>
  );
}

/** The question of the URL; on a bare URL the model's first example, so that nothing needs typing. */
function QuestionOfUrl({ model }: { model: ModelResponse }) {
  const { search } = useLocation();
  const question = useMemo(() => readQuestion(new URLSearchParams(search)), [search]);
  if (question) return <AskedQuestion model={model} question={question} />;
  const [example] = model.examples;
  const first = example ? exampleQuestion(example) : emptyQuestion();
  return <Navigate to={{ search: writeState(first, DEFAULT_UI).toString() }} replace />;
}

import { useState } from "react";
import { useSearchParams } from "react-router";

import type { ModelResponse } from "@/api/types";
import { ErrorBoundary } from "@/components/error-boundary";
import type { Component } from "@/lib/node";

import { ComponentHeader } from "./component-header";
import { Exemplars } from "./exemplars/exemplars";
import { ExplanationPanel } from "./explanation/explanation-panel";
import { Rail } from "./rail";
import { recordMaximum } from "./record-maximum";
import { TextPattern } from "./text-pattern";
import type { ReadoutMode } from "./text-readout";
import { useRecord } from "./use-record";
import { useYourText, type YourTextState } from "./use-your-text";
import { WriteLists } from "./write-lists";
import { YourText } from "./your-text";

const EXAMPLE =
  "The doctor said she would call her daughter after the operation, but the nurse told him that his wife had already left with their son.";

/** The page of a component that the model has. */
export function ComponentView({ component, model }: { component: Component; model: ModelResponse }) {
  const [params, setParams] = useSearchParams();
  const [mode, setMode] = useState<ReadoutMode>("activation");
  const record = useRecord(component, model);
  const isHead = component.kind === "attn";
  const prompt = params.get("prompt") ?? params.get("p");
  const own = useYourText(component, {
    text: params.get("text") ?? prompt ?? model.examples[0]?.prompt ?? EXAMPLE,
    onText: (text) => {
      setParams(
        (old) => {
          old.set("text", text);
          return old;
        },
        { replace: true },
      );
    },
    prompt,
    known: record.state === "loaded" && !isHead ? recordMaximum(record.record) : null,
  });
  const top = (
    <>
      <ComponentHeader component={component} model={model} />
      {component.index !== null && (
        <ErrorBoundary name="Explanation">
          <ExplanationPanel key={component.name} component={component} record={record} />
        </ErrorBoundary>
      )}
    </>
  );
  const text = (
    <ErrorBoundary name="Your text">
      <YourText component={component} state={own} mode={mode} onMode={setMode} />
    </ErrorBoundary>
  );
  // The embeddings and a coder's error are no single unit: there is only what they do on a text.
  if (component.index === null) {
    return (
      <>
        {top}
        {text}
        <p className="note">
          {component.name} is no single unit: it writes another vector at each token, so datasets hold nothing on it, and
          nothing is like it or explains it. Below is what the pointed token&rsquo;s write does. The Debugger lists it at each
          token with its effects.
        </p>
        <ErrorBoundary name="Token lists">
          <div className="writes">
            <WriteLists component={component.name} state={own} />
          </div>
        </ErrorBoundary>
      </>
    );
  }
  return (
    <>
      {top}
      <div className="cwork">
        <div className="left">
          {text}
          <ErrorBoundary name="Exemplars">
            <Exemplars key={component.name} record={record} isHead={isHead} mode={mode} />
          </ErrorBoundary>
        </div>
        <aside className="right" aria-label="Distribution and weights">
          {isHead && <OwnPattern state={own} head={component.name} />}
          <Rail component={component} record={record} own={own} />
        </aside>
      </div>
    </>
  );
}

function OwnPattern({ state, head }: { state: YourTextState; head: string }) {
  const { result, from, query, setPointed } = state;
  if (!result) return null;
  return (
    <ErrorBoundary name="Attention pattern">
      <TextPattern
        result={result}
        head={head}
        from={from ?? -1}
        stale={query.isPlaceholderData}
        onFrom={setPointed}
      />
    </ErrorBoundary>
  );
}

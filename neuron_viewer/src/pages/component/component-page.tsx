import { useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useParams, useSearchParams } from "react-router";

import { modelQuery } from "@/api/queries";
import type { ModelResponse } from "@/api/types";
import { Async } from "@/components/async";
import { ErrorBoundary } from "@/components/error-boundary";

import { findComponent, type Indexed } from "./bounds";
import { ComponentHeader } from "./component-header";
import { Exemplars } from "./exemplars/exemplars";
import { ExplanationPanel } from "./explanation/explanation-panel";
import { JumpBox } from "./jump-box";
import { Rail } from "./rail";
import { recordMaximum } from "./record-maximum";
import type { ReadoutMode } from "./text-readout";
import { useRecord } from "./use-record";
import { YourText } from "./your-text";
import "./component.css";

const EXAMPLE =
  "The doctor said she would call her daughter after the operation, but the nurse told him that his wife had already left with their son.";

/** Everything known about one head, neuron or latent. */
export function ComponentPage() {
  const model = useQuery(modelQuery());
  const { component = "" } = useParams();
  return (
    <main className="comp">
      <Async query={model}>{(loaded) => <NamedPage name={component} model={loaded} />}</Async>
    </main>
  );
}

function NamedPage({ name, model }: { name: string; model: ModelResponse }) {
  const found = findComponent(name, model);
  if ("component" in found) return <LoadedPage component={found.component} model={model} />;
  return (
    <section className="panel">
      <header>
        <h1 className="mono">{name}</h1>
      </header>
      <div className="pad">
        <div className="err" role="alert">
          <p>
            <b>{found.problem}</b>
          </p>
          <div className="warnrow">
            <JumpBox model={model} />
            <Link className="btn small" to="/">
              Open the Debugger
            </Link>
          </div>
        </div>
      </div>
    </section>
  );
}

function LoadedPage({ component, model }: { component: Indexed; model: ModelResponse }) {
  const [params, setParams] = useSearchParams();
  const [mode, setMode] = useState<ReadoutMode>("activation");
  const record = useRecord(component.name, model);
  const prompt = params.get("prompt") ?? params.get("p");
  const text = params.get("text") ?? model.examples.find((one) => one.prompt !== prompt)?.prompt ?? EXAMPLE;
  const isHead = component.kind === "attn";
  function setText(next: string) {
    setParams(
      (old) => {
        old.set("text", next);
        return old;
      },
      { replace: true },
    );
  }
  return (
    <>
      <ComponentHeader component={component} model={model} />
      <ErrorBoundary name="Explanation">
        <ExplanationPanel component={component.name} record={record} isSigned={component.kind === "mlp"} />
      </ErrorBoundary>
      <div className="cwork">
        <div className="left">
          <ErrorBoundary name="Your text">
            <YourText
              component={component}
              text={text}
              onText={setText}
              prompt={prompt}
              maximum={record.state === "loaded" && !isHead ? recordMaximum(record.record) : null}
              mode={mode}
              onMode={setMode}
            />
          </ErrorBoundary>
          <ErrorBoundary name="Exemplars">
            <Exemplars key={component.name} record={record} isHead={isHead} mode={mode} />
          </ErrorBoundary>
        </div>
        <aside className="right" aria-label="Distribution and weights">
          <Rail component={component} record={record} text={prompt ?? text} name={prompt === null ? "your text" : "your prompt"} />
        </aside>
      </div>
    </>
  );
}

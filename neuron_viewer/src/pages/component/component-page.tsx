import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";

import { componentTokensQuery, modelQuery } from "@/api/queries";
import type { ModelResponse } from "@/api/types";
import { Async } from "@/components/async";
import { ErrorBoundary } from "@/components/error-boundary";

import { findComponent, type Indexed } from "./bounds";
import { ComponentHeader } from "./component-header";
import { JumpBox } from "./jump-box";
import { NoExemplars, NoExplanation } from "./no-dataset";
import { WeightLists } from "./weight-lists";
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
  const tokens = useQuery(componentTokensQuery(component.name));
  const prompt = params.get("prompt") ?? params.get("p");
  function setText(text: string) {
    setParams(
      (old) => {
        old.set("text", text);
        return old;
      },
      { replace: true },
    );
  }
  return (
    <>
      <ComponentHeader component={component} model={model} />
      <NoExplanation model={model} />
      <div className="cwork">
        <div className="left">
          <ErrorBoundary name="Your text">
            <YourText
              component={component}
              text={params.get("text") ?? model.examples[0]?.prompt ?? EXAMPLE}
              onText={setText}
              prompt={prompt}
            />
          </ErrorBoundary>
          <NoExemplars model={model} />
        </div>
        <aside className="right" aria-label="What the weights do">
          <ErrorBoundary name="Token lists">
            <WeightLists query={tokens} isHead={component.kind === "attn"} />
          </ErrorBoundary>
        </aside>
      </div>
    </>
  );
}

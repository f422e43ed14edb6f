import { useQuery } from "@tanstack/react-query";
import { Link, Navigate, useLocation, useParams } from "react-router";

import { modelQuery } from "@/api/queries";
import type { ModelResponse } from "@/api/types";
import { Async } from "@/components/async";
import { askedCoder } from "@/lib/component-link";

import { findComponent } from "./bounds";
import { ComponentView } from "./component-view";
import { JumpBox } from "./jump-box";
import { PageCoder } from "./page-coder";
import "./component.css";

/** Everything known about one head, neuron or latent; of the embeddings and of a coder's error, what they do on a text. */
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
  const { search } = useLocation();
  const wanted = new URLSearchParams(search).get("coder");
  const found = findComponent(name, { ...model, coder: wanted });
  if ("component" in found) {
    const { component } = found;
    if (component.name !== name) return <Navigate to={{ pathname: `/component/${component.name}`, search }} replace />;
    return (
      <PageCoder value={askedCoder(component.name, model.coders, wanted) ?? wanted}>
        <ComponentView component={component} model={model} />
      </PageCoder>
    );
  }
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

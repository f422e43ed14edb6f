import { Link } from "react-router";

import type { ModelResponse, MonitorExample } from "@/api/types";

import { ExperimentCard } from "./experiment-card";

type StartPanelProps = { model: ModelResponse; onRun: (experiment: MonitorExample) => void };

/** Before a token is clicked: what the page does, experiments that are ready, and what this model lacks. */
export function StartPanel({ model, onRun }: StartPanelProps) {
  const experiments = model.monitor_examples ?? [];
  return (
    <section className="panel start" aria-labelledby="start-title">
      <header>
        <h2 id="start-title">{experiments.length > 0 ? "Ready experiments" : "How it works"}</h2>
        <span className="note">
          {experiments.length > 0 && "each measured on this model, and stronger than random sets of its kind"}
        </span>
      </header>
      <ol className="steps">
        <li>{model.has_chat_template ? "Ask" : "Write"} something, and the model replies.</li>
        <li>Click a token: what led the model to it is ranked, grouped and measured.</li>
        <li>Suppress or strengthen what you find, and compare both replies.</li>
      </ol>
      {experiments.length > 0 && (
        <ul className="experiments" aria-label="Ready experiments">
          {experiments.map((experiment) => (
            <ExperimentCard key={experiment.name} experiment={experiment} onRun={() => { onRun(experiment); }} />
          ))}
        </ul>
      )}
      {model.datasets.length === 0 && <Lacking />}
    </section>
  );
}

/** Without a dataset: what works all the same, and how to get the rest. */
function Lacking() {
  return (
    <p className="pad note lacking">
      No dataset and no explanations are loaded for this model. Influence, measured effects, branching, suppressing and
      scaling of heads and neurons work all the same. For concepts, and to strengthen by a component{"\u2019"}s own
      range, collate a text and explain it first: <Link className="link" to="/data">Data &amp; jobs</Link>, or{" "}
      <code>tdb collate</code> and <code>tdb explain</code>.
    </p>
  );
}

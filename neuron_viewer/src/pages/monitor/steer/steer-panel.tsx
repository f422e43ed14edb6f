import type { ConceptSpec } from "@/api/types";

import type { Monitor } from "../use-monitor";
import { ActiveConcept } from "./active-concept";
import { ConceptForm } from "./concept-form";
import { ExportMenu } from "../export/export-menu";
import { SweepPanel } from "./sweep-panel";
import { UnreadConcepts } from "./unread-concepts";

type SteerPanelProps = {
  monitor: Monitor;
  model: string;
  /** Tokens of the text; 0 before it is read. */
  nTokens: number;
};

/** Concepts in force, each with its switch; the form that finds more; and what the chosen one does to the rest. */
export function SteerPanel({ monitor, model, nTokens }: SteerPanelProps) {
  const { state, change } = monitor;
  const { concepts } = state;
  const [last] = concepts.slice(-1);
  const range = state.listing.tokens;
  function set(index: number, concept: ConceptSpec | null) {
    change({ concepts: concepts.flatMap((old, at) => (at === index ? (concept ?? []) : old)) });
  }
  return (
    <section className="panel steer" aria-labelledby="steer-title">
      <header>
        <h2 id="steer-title">Steer</h2>
        <span className="end">
          <ExportMenu state={state} model={model} />
        </span>
      </header>
      <div className="pad sform">
        <UnreadConcepts unread={state.unread} onDismiss={() => { change({ unread: [] }, true); }} />
        {concepts.map((concept, index) => (
          <ActiveConcept
            key={`${index} ${concept.name}`}
            concept={concept}
            range={range && range[1] < nTokens ? range : null}
            onChange={(next) => { set(index, next); }}
            onRemove={() => { set(index, null); }}
          />
        ))}
        {concepts.length === 0 && (
          <p className="note">
            Nothing is steered. Name a concept here, or suppress or strengthen one that is listed: the reply is then
            written twice, without and with it.
          </p>
        )}
        <ConceptForm onAdd={(concept) => { change({ concepts: [...concepts, concept] }); }} />
        {last && (
          <SweepPanel
            state={state}
            concept={last}
            nTokens={nTokens}
            onSweep={(sweep) => { change({ sweep }, true); }}
            onChoose={(next) => { set(concepts.length - 1, next); }}
          />
        )}
      </div>
    </section>
  );
}

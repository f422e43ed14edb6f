import { useQuery } from "@tanstack/react-query";

import { simulationQuery } from "@/api/explanations";
import type { Explanation } from "@/api/types";
import { Async } from "@/components/async";
import { SimulationLines } from "@/components/simulation-lines";
import { parseComponent } from "@/lib/node";

import { Measures } from "./measures";

const SUMMED =
  "A head has a value for each pair of tokens, query and key. The lines show, true and simulated alike, the sum over " +
  "the keys of each query token; the scores above compare the values of the pairs themselves.";

export interface SimulationPanelProps {
  component: string;
  explanation: Explanation;
  onClose: () => void;
}

/** What an explanation predicts beside what is true, on the excerpts it was scored on, and every score it has. */
export function SimulationPanel({ component, explanation, onClose }: SimulationPanelProps) {
  const query = useQuery({ ...simulationQuery(component, explanation.id ?? ""), retry: false });
  return (
    <section className="panel" aria-labelledby="simulation-title">
      <header>
        <h2 id="simulation-title">True and simulated</h2>
        <span className="note said">{explanation.text}</span>
        <span className="end">
          <button type="button" className="btn small plain" onClick={onClose}>
            Close
          </button>
        </span>
      </header>
      <Measures explanation={explanation} />
      <Async
        query={query}
        loading={<p className="pad note">Loading</p>}
        isEmpty={({ excerpts }) => excerpts.length === 0}
        empty="The excerpts that it was scored on were not kept. Score it again to see them."
      >
        {({ excerpts }) => (
          <>
            {parseComponent(component)?.kind === "attn" && (
              <p className="pad note" title={SUMMED}>
                Summed over keys: one value for each query token. Scores are over token pairs.
              </p>
            )}
            <SimulationLines excerpts={excerpts} />
          </>
        )}
      </Async>
    </section>
  );
}

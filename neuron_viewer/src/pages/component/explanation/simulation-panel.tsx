import { useQuery } from "@tanstack/react-query";

import { simulationQuery } from "@/api/explanations";
import type { Explanation } from "@/api/types";
import { Async } from "@/components/async";

import { usePageCoder } from "../page-coder";
import { Measures } from "./measures";
import { Simulated } from "./simulated";

export interface SimulationPanelProps {
  component: string;
  explanation: Explanation;
  onClose: () => void;
}

/** What an explanation predicts beside what is true, on the excerpts it was scored on, and every score it has. */
export function SimulationPanel({ component, explanation, onClose }: SimulationPanelProps) {
  const query = useQuery({ ...simulationQuery(component, explanation.id ?? "", usePageCoder()), retry: false });
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
        {({ excerpts }) => <Simulated component={component} excerpts={excerpts} />}
      </Async>
    </section>
  );
}

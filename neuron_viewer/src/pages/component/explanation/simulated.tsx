import type { SimulatedExcerpt } from "@/api/explanations";
import { SimulationLines } from "@/components/simulation-lines";
import { parseComponent } from "@/lib/node";

const SUMMED =
  "A head has a value for each pair of tokens, query and key. The lines show, true and simulated alike, the sum over " +
  "the keys of each query token; the scores above compare the values of the pairs themselves.";

export interface SimulatedProps {
  component: string;
  excerpts: readonly SimulatedExcerpt[];
}

/** True and simulated lines; of a head with what their values are, since its scores are over other ones. */
export function Simulated({ component, excerpts }: SimulatedProps) {
  return (
    <>
      {parseComponent(component)?.kind === "attn" && (
        <p className="pad note" title={SUMMED}>
          Summed over keys: one value for each query token. Scores are over token pairs.
        </p>
      )}
      <SimulationLines excerpts={excerpts} />
    </>
  );
}

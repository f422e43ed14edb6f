import type { SimulatedExcerpt } from "@/api/explanations";
import { maxAbs } from "@/lib/color";
import type { Excerpt } from "@/lib/excerpt";

import { ExcerptLine } from "./excerpt-line";
import "./simulation-lines.css";

export interface SimulationLinesProps {
  excerpts: readonly SimulatedExcerpt[];
}

/** True activations above those that an explanation predicts, excerpt by excerpt, on one scale. */
export function SimulationLines({ excerpts }: SimulationLinesProps) {
  const maximum = maxAbs(excerpts.flatMap((one) => [...one.true, ...one.simulated]));
  return (
    <ol className="simlines">
      {excerpts.map((one, index) => (
        <li key={index}>
          <SimulationLine label="true" excerpt={excerptOf(one, one.true)} maximum={maximum} />
          <SimulationLine label="simulated" excerpt={excerptOf(one, one.simulated)} maximum={maximum} />
          <span className="src">{one.sample}</span>
        </li>
      ))}
    </ol>
  );
}

function SimulationLine({ label, excerpt, maximum }: { label: string; excerpt: Excerpt; maximum: number }) {
  return (
    <div className="simline">
      <span className="label">{label}</span>
      <ExcerptLine excerpt={excerpt} maximum={maximum} />
    </div>
  );
}

/** Both lines hang from the token where the truth is strongest, so that they can be compared column by column. */
function excerptOf({ tokens, true: known }: SimulatedExcerpt, values: readonly number[]): Excerpt {
  const size = maxAbs(known);
  const peak = Math.max(0, known.findIndex((value) => Math.abs(value) === size));
  return { tokens, values, pattern: [], peak, from: null, value: values[peak] ?? 0, source: "" };
}

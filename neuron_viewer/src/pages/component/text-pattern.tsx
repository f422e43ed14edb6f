import { HeatLegend } from "@/components/heat-grid/heat-legend";
import { PatternView } from "@/components/heat-grid/pattern-view";

import type { TextResult } from "./token-values";

export interface TextPatternProps {
  result: TextResult;
  head: string;
  /** The token whose row stands out. */
  from: number;
  stale: boolean;
  onFrom: (token: number) => void;
}

/** The head's whole pattern on the typed text. */
export function TextPattern({ result, head, from, stale, onFrom }: TextPatternProps) {
  return (
    <section className="panel pattern" aria-labelledby="pattern-title">
      <header>
        <h2 id="pattern-title">Attention pattern</h2>
        <span className="note">your text</span>
      </header>
      <div className={stale ? "pad stale" : "pad"}>
        <PatternView
          result={result}
          head={head}
          at={from}
          selected={null}
          asTable={false}
          onPick={({ query }) => {
            onFrom(query);
          }}
        />
        <div className="mapfoot">
          <HeatLegend maximum={1} unit="attention" />
        </div>
      </div>
    </section>
  );
}

import { useMemo, useState } from "react";

import type { ComponentRecord } from "@/api/types";
import { HeatLegend } from "@/components/heat-grid/heat-legend";
import { Segments } from "@/components/segments";
import { Select } from "@/components/select";
import type { PairEnd } from "@/lib/excerpt";
import { parseComponent } from "@/lib/node";

import type { ReadoutMode } from "../text-readout";
import { recordMaximum } from "../record-maximum";
import { bandsOf, filtered, linesOf, type BandFilter } from "./bands";
import { ExemplarList } from "./exemplar-list";
import "./exemplars.css";

export interface ExemplarPanelProps {
  record: ComponentRecord;
  isHead: boolean;
  mode: ReadoutMode;
}

const FILTERS: { value: BandFilter; text: string }[] = [
  { value: "all", text: "All bands" },
  { value: "positive", text: "Top" },
  { value: "negative", text: "Top \u2212" },
  { value: "quantiles", text: "Quantiles" },
  { value: "random", text: "Random" },
];
const ENDS: { value: PairEnd; text: string; title: string }[] = [
  { value: "from", text: "in", title: "in: shade the tokens that attend (from)" },
  { value: "to", text: "out", title: "out: shade the tokens that are attended to (to)" },
];

/** What the component responds to in the dataset. */
export function ExemplarPanel({ record, isHead, mode }: ExemplarPanelProps) {
  const [filter, setFilter] = useState<BandFilter>("all");
  const [end, setEnd] = useState<PairEnd>("to");
  const [context, setContext] = useState<"line" | "whole">("line");
  const maximum = recordMaximum(record);
  const isSigned = parseComponent(record.component)?.kind === "mlp";
  const bands = useMemo(() => bandsOf(record), [record]);
  const lines = useMemo(() => linesOf(filtered(bands, filter)), [bands, filter]);
  const there = FILTERS.filter(({ value }) => value === "all" || bands.some(({ group }) => group === value)).map(
    (one) => (one.value === "positive" ? { ...one, text: bands[0]?.title ?? one.text } : one),
  );
  return (
    <section className="panel exs" aria-labelledby="exemplars-title">
      <header>
        <h2 id="exemplars-title">Exemplars</h2>
        <Segments label="Bands" value={filter} options={there} onChange={setFilter} />
        {isHead && <Segments label="Shade" value={end} options={ENDS} onChange={setEnd} />}
        <span className="end">
          <HeatLegend maximum={maximum} signed={isSigned} hue={isHead ? "uns" : "pos"} />
          <span className="label hide-s">Context</span>
          <Select
            label="Context"
            value={context}
            options={[
              { value: "line", text: "one line" },
              { value: "whole", text: "whole excerpt" },
            ]}
            onChange={setContext}
          />
        </span>
      </header>
      {record.caveats.map((caveat) => (
        <p key={caveat} className="pad note caveat">
          {caveat}
        </p>
      ))}
      <ExemplarList
        component={record.component}
        lines={lines}
        maximum={maximum}
        end={end}
        mode={mode}
        whole={context === "whole"}
      />
    </section>
  );
}

import { useState } from "react";

import type { ComponentRecord, Statistics } from "@/api/types";
import { Segments } from "@/components/segments";
import { define } from "@/lib/define";
import { formatCount, formatMagnitude, NONE } from "@/lib/format";
import { levelsOf, levelText, percent, standingText, type Level } from "@/lib/standing";

import { signed } from "../text-readout";
import { Histogram } from "./histogram";
import type { HistogramMode } from "./histogram-model";
import "./distribution.css";

export interface DistributionPanelProps {
  record: ComponentRecord;
  isHead: boolean;
  /** The strongest value on the Debugger's prompt, or on your text. */
  prompt: { value: number; name: string } | null;
}

const MODES: { value: HistogramMode; text: string; title: string }[] = [
  { value: "count", text: "Count", title: "Tokens in each bin, both axes logarithmic" },
  { value: "density", text: "Density", title: "Share of tokens per unit of activation, on a linear axis" },
];

/** How often the component takes which value: histogram, statistics, quantiles. */
export function DistributionPanel({ record, isHead, prompt }: DistributionPanelProps) {
  const [mode, setMode] = useState<HistogramMode>("count");
  const { statistics, histogram } = record;
  const levels = levelsOf(statistics);
  const isCounted = histogram.counts.some((count) => count > 0);
  const standing = prompt && standingText(prompt.value, levels);
  const mark = prompt && {
    value: prompt.value,
    text: [`${prompt.name} ${signed(prompt.value)}`, standing].filter(Boolean).join(" \u00b7 "),
  };
  return (
    <section className="panel" aria-labelledby="distribution-title">
      <header>
        <h2 id="distribution-title">{isHead ? "Writes" : "Activations"}</h2>
        <span className="note" title={statistics.n_tokens === null ? undefined : `over ${formatCount(statistics.n_tokens)} tokens`}>
          {countText(statistics)}
        </span>
        {isCounted && (
          <span className="end">
            <Segments label="Histogram" value={mode} options={MODES} onChange={setMode} />
          </span>
        )}
      </header>
      <div className="pad histo">
        {isCounted ? (
          <Histogram histogram={histogram} mode={mode} range={statistics} isSigned={!isHead} mark={mark} />
        ) : (
          <p className="note">No histogram is recorded{mark && `; ${mark.text}`}.</p>
        )}
        <dl className="stats">
          <Figure name="mean" term="mean_activation" value={statistics.mean} />
          <Figure name="std. dev." term="std_activation" value={statistics.std} />
          <Figure name="smallest" term="min_activation" value={statistics.min} />
          <Figure name="largest" term="max_activation" value={statistics.max} />
          <div>
            <dt>active</dt>
            <dd tabIndex={0} {...define("fraction_active", { exact: statistics.fraction_active })}>
              {statistics.fraction_active === null ? NONE : percent(statistics.fraction_active)}
            </dd>
          </div>
        </dl>
        <Quantiles levels={levels} />
      </div>
    </section>
  );
}

function countText({ n_tokens, n_values }: Statistics): string {
  const tokens = n_tokens === null ? "" : `${formatCount(n_tokens)} tokens`;
  return n_values === null || n_values === n_tokens ? tokens : `${formatCount(n_values)} pairs of tokens`;
}

function Figure({ name, term, value }: { name: string; term: string; value: number | null }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd tabIndex={0} {...define(term, { exact: value })}>
        {value === null ? NONE : figure(value)}
      </dd>
    </div>
  );
}

const NOTHING = 1e-6;

/** Rounding leaves values that are nothing in any unit. */
function figure(value: number): string {
  return Math.abs(value) < NOTHING ? "0" : formatMagnitude(value);
}

const SHOWN = [0.0001, 0.001, 0.01, 0.5, 0.99, 0.999, 0.9999];

/** Seven quantiles; all of them, down to the rarest, in a list below. */
function Quantiles({ levels }: { levels: readonly Level[] }) {
  const shown = levels.filter(({ share }) => SHOWN.some((one) => Math.abs(one - share) < 1e-12));
  return (
    <>
      <dl className="quants">
        {(shown.length > 0 ? shown : levels.slice(0, 7)).map((level) => (
          <Quantile key={level.share} level={level} />
        ))}
      </dl>
      <details className="allquants">
        <summary className="note">All {levels.length} quantiles</summary>
        <dl>
          {levels.map((level) => (
            <Quantile key={level.share} level={level} />
          ))}
        </dl>
      </details>
    </>
  );
}

function Quantile({ level: { share, value } }: { level: Level }) {
  return (
    <div>
      <dt>{levelText(share)}</dt>
      <dd className="num" {...define("quantile", { exact: value })}>
        {figure(value)}
      </dd>
    </div>
  );
}

import { formatCount, formatMagnitude } from "@/lib/format";

import { histogramModel, type Histogram as Data, type HistogramMode, type Range } from "./histogram-model";

export interface HistogramProps {
  histogram: Data;
  mode: HistogramMode;
  range: Range;
  /** Whether values have a sign that means something. */
  isSigned: boolean;
  /** A value to point at, and what to call it. */
  mark: { value: number; text: string } | null;
}

const WIDTH = 326;
const HEIGHT = 112;
/** Left of the bars, for the counts. */
const GUTTER = 46;
const EDGE = 0.03;
const CLASSES = { positive: "bp", negative: "bn", middle: "bz" };

/** Bars of both signs, with an arrow where the prompt's value lies. */
export function Histogram({ histogram, mode, range, isSigned, mark }: HistogramProps) {
  const model = histogramModel(histogram, mode, range);
  const zero = model.place(0) * WIDTH;
  return (
    <svg viewBox={`${-GUTTER} -6 ${WIDTH + GUTTER} ${HEIGHT + (mark ? 34 : 22)}`} role="img" aria-label={wordsOf(histogram)}>
      {model.up.map(({ at, value }) => (
        <line key={value} x1={0} x2={WIDTH} y1={HEIGHT * (1 - at)} y2={HEIGHT * (1 - at)} className="g" />
      ))}
      {model.bars.map((bar) =>
        bar.count === 0 ? null : (
          <rect
            key={bar.from}
            x={bar.left * WIDTH}
            width={Math.max(0.7, bar.width * WIDTH - 0.7)}
            y={HEIGHT * (1 - bar.height) - (bar.height === 0 ? 1 : 0)}
            height={Math.max(1, HEIGHT * bar.height)}
            className={isSigned ? CLASSES[bar.side] : "bu"}
          >
            <title>{`${formatCount(bar.count)} from ${formatMagnitude(bar.from)} to ${formatMagnitude(bar.to)}`}</title>
          </rect>
        ),
      )}
      {model.up.map(({ at, value }) => (
        <text key={value} x={-5} y={HEIGHT * (1 - at) + 3} className="ax" textAnchor="end">
          {value >= 1 ? formatCount(value) : String(Number(value.toPrecision(1)))}
        </text>
      ))}
      <line x1={0} x2={WIDTH} y1={HEIGHT} y2={HEIGHT} className="a" />
      <line x1={zero} x2={zero} y1={0} y2={HEIGHT} className="z" />
      {model.across.map(({ at, value }) => (
        <text key={value} x={at * WIDTH} y={HEIGHT + 13} className="ax" textAnchor={anchorOf(at)}>
          {formatMagnitude(value).replace(/\.?0+$/, "") || "0"}
        </text>
      ))}
      {mark && <Mark x={model.place(mark.value) * WIDTH} text={mark.text} />}
    </svg>
  );
}

function Mark({ x, text }: { x: number; text: string }) {
  const isLate = x > WIDTH * 0.6;
  return (
    <>
      <path d={`M${x} ${HEIGHT + 1} l-4 7 h8 z`} className="mk" />
      <text x={isLate ? x - 8 : x + 8} y={HEIGHT + 25} className="ax mkt" textAnchor={isLate ? "end" : "start"}>
        {text}
      </text>
    </>
  );
}

function anchorOf(at: number): "start" | "middle" | "end" {
  if (at < EDGE) return "start";
  return at > 1 - EDGE ? "end" : "middle";
}

function wordsOf({ edges, counts }: Data): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  const below = counts.reduce((sum, count, index) => sum + ((edges[index + 1] ?? 0) <= 0 ? count : 0), 0);
  return `Histogram of ${formatCount(total)} values, ${formatCount(below)} of them not above zero`;
}

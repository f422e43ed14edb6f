import { type PointerEvent, useState } from "react";

import { useWidth } from "@/lib/use-width";

import { type Domain, domainOf, percentTick, tickText, ticksOf } from "./axis";
import "./line-plot.css";

export type Line = {
  name: string;
  points: readonly { x: number; y: number }[];
  /** Drawn over the others, in the plot's colour. */
  isMain?: boolean;
};

type LinePlotProps = {
  title: string;
  lines: readonly Line[];
  /** How a value is written beside the plot. */
  format: (value: number) => string;
  xName: string;
  /** Values are shares, and ticks percents. */
  isShare?: boolean | undefined;
  xDomain?: Domain | undefined;
  yDomain?: Domain | undefined;
};

const HEIGHT = 132;
const LEFT = 40;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 20;

/** A measure over time. The value under the pointer is told above; the last one without it. */
export function LinePlot({ title, lines, format, xName, isShare, xDomain, yDomain }: LinePlotProps) {
  const [box, width] = useWidth<HTMLDivElement>(320);
  const [at, setAt] = useState<number | null>(null);
  const all = lines.flatMap(({ points }) => points);
  const xs = xDomain ?? [0, Math.max(1, ...all.map(({ x }) => x))];
  const ys = yDomain ?? domainOf(all.map(({ y }) => y));
  const toX = (x: number) => LEFT + ((x - xs[0]) / (xs[1] - xs[0])) * (width - LEFT - RIGHT);
  const toY = (y: number) => TOP + (1 - (clip(y, ys) - ys[0]) / (ys[1] - ys[0])) * (HEIGHT - TOP - BOTTOM);
  const main = lines.find(({ isMain }) => isMain) ?? lines[0];
  const shown = main && pointAt(main, at);
  const xTicks = ticksOf(xs);
  const yTicks = ticksOf(ys);

  function onPointerMove(event: PointerEvent<SVGSVGElement>) {
    const { left } = event.currentTarget.getBoundingClientRect();
    const share = (event.clientX - left - LEFT) / (width - LEFT - RIGHT);
    setAt(xs[0] + Math.max(0, Math.min(1, share)) * (xs[1] - xs[0]));
  }

  return (
    <figure className="lplot" ref={box}>
      <figcaption>
        <span>{title}</span>
        {shown && <b>{format(shown.y)}</b>}
        {shown && at !== null && <span className="note">at {tickText(shown.x, xTicks)}</span>}
      </figcaption>
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={summary(title, main, format, xName)}
        onPointerMove={onPointerMove}
        onPointerLeave={() => { setAt(null); }}
      >
        {yTicks.map((y) => (
          <g key={y}>
            <line className="g" x1={LEFT} x2={width - RIGHT} y1={toY(y)} y2={toY(y)} />
            <text className="ax" x={LEFT - 6} y={toY(y) + 3} textAnchor="end">
              {isShare ? percentTick(y, yTicks) : tickText(y, yTicks)}
            </text>
          </g>
        ))}
        {xTicks.map((x) => (
          <text key={x} className="ax" x={toX(x)} y={HEIGHT - 6} textAnchor={anchorOf(x, xs)}>
            {tickText(x, xTicks)}
          </text>
        ))}
        <line className="a" x1={LEFT} x2={width - RIGHT} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
        {lines.map((line) => (
          <path key={line.name} className={line === main ? "line main" : "line"} d={pathOf(line, toX, toY)}>
            <title>{line.name}</title>
          </path>
        ))}
        {shown && <circle className="dot" cx={toX(shown.x)} cy={toY(shown.y)} r={2.5} />}
        {shown && at !== null && <line className="z" x1={toX(shown.x)} x2={toX(shown.x)} y1={TOP} y2={HEIGHT - BOTTOM} />}
      </svg>
    </figure>
  );
}

/** The text at either end stays within the plot. */
function anchorOf(x: number, [low, high]: Domain) {
  return x - low < (high - low) * 0.04 ? "start" : high - x < (high - low) * 0.04 ? "end" : "middle";
}

function clip(value: number, [low, high]: Domain): number {
  return Math.max(low, Math.min(high, value));
}

/** The last point up to a place; the last of all without one. */
function pointAt({ points }: Line, x: number | null) {
  if (x === null) return points.at(-1);
  return points.findLast((point) => point.x <= x) ?? points[0];
}

function pathOf({ points }: Line, toX: (x: number) => number, toY: (y: number) => number): string {
  return points
    .map(({ x, y }, index) => `${index === 0 ? "M" : "L"}${toX(x).toFixed(1)} ${toY(y).toFixed(1)}`)
    .join("");
}

/** What the picture shows, for those who do not see it. */
function summary(title: string, line: Line | undefined, format: (value: number) => string, xName: string): string {
  const first = line?.points[0];
  const last = line?.points.at(-1);
  if (!line || !first || !last) return `${title}: nothing yet`;
  const values = line.points.map(({ y }) => y);
  return (
    `${title} of ${line.name} over ${xName}: from ${format(first.y)} at ${Math.round(first.x)} to ` +
    `${format(last.y)} at ${Math.round(last.x)}; least ${format(Math.min(...values))}, most ${format(Math.max(...values))}`
  );
}

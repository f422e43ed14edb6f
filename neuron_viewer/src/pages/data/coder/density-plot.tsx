import type { CoderJudgement } from "@/api/jobs";
import { ticksOf } from "@/components/line-plot/axis";
import { formatCount } from "@/lib/format";
import { useWidth } from "@/lib/use-width";

const HEIGHT = 168;
const LEFT = 34;
const TOP = 8;
const BOTTOM = 32;

/** Latents by the share of tokens at which each is active, on a logarithmic scale. */
export function DensityPlot({ judgement, nLatents }: { judgement: CoderJudgement; nLatents: number }) {
  const [box, width] = useWidth<HTMLElement>(360);
  const { edges, counts } = judgement.density;
  const low = edges[0] ?? -6;
  const high = edges.at(-1) ?? 0;
  const most = Math.max(1, ...counts);
  const toX = (x: number) => LEFT + ((x - low) / (high - low || 1)) * (width - LEFT - 6);
  const toY = (count: number) => TOP + (1 - count / most) * (HEIGHT - TOP - BOTTOM);
  const dead = Math.round(judgement.dead_fraction * nLatents);
  const decades = Array.from({ length: Math.floor(high) - Math.ceil(low) + 1 }, (_, index) => Math.ceil(low) + index);
  return (
    <figure ref={box} className="density">
      <svg
        width={width}
        height={HEIGHT}
        role="img"
        aria-label={`Histogram of ${formatCount(nLatents)} latents by how often each is active. ${spread(edges, counts)}`}
      >
        {ticksOf([0, most], 3).filter(Number.isInteger).map((count) => (
          <g key={count}>
            <line className="g" x1={LEFT} x2={width - 6} y1={toY(count)} y2={toY(count)} />
            <text className="ax" x={LEFT - 6} y={toY(count) + 3} textAnchor="end">
              {formatCount(count)}
            </text>
          </g>
        ))}
        {counts.map((count, index) => {
          const [from, to] = [edges[index] ?? 0, edges[index + 1] ?? 0];
          if (count === 0) return null;
          return (
            <rect
              key={from}
              className="bar"
              x={toX(from) + 0.5}
              width={Math.max(1, toX(to) - toX(from) - 1)}
              y={toY(count)}
              height={HEIGHT - BOTTOM - toY(count)}
            >
              <title>{`${formatCount(count)} latents active at ${shareText(from)} to ${shareText(to)} of tokens`}</title>
            </rect>
          );
        })}
        <line className="a" x1={LEFT} x2={width - 6} y1={HEIGHT - BOTTOM} y2={HEIGHT - BOTTOM} />
        {decades.map((power) => (
          <text key={power} className="ax" x={toX(power)} y={HEIGHT - BOTTOM + 13} textAnchor="middle">
            {shareText(power)}
          </text>
        ))}
        <text className="ax" x={width - 6} y={HEIGHT - 4} textAnchor="end">
          share of tokens at which a latent is active
        </text>
      </svg>
      <figcaption className="note">
        {dead === 0 ? "No latent is dead." : `${formatCount(dead)} of ${formatCount(nLatents)} are active nowhere and left out.`}
      </figcaption>
    </figure>
  );
}

/** A power of ten as a share: `10%`, `0.001%`. */
function shareText(power: number): string {
  const percent = 100 * 10 ** power;
  return `${percent >= 1 ? Number(percent.toPrecision(2)) : Number(percent.toPrecision(1)).toFixed(Math.max(0, Math.ceil(-Math.log10(percent) - 1e-9)))}%`;
}

/** Where half of the latents lie, in words. */
function spread(edges: readonly number[], counts: readonly number[]): string {
  const total = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const middle = counts.findIndex((count) => (seen += count) >= total / 2);
  const [from, to] = [edges[middle], edges[middle + 1]];
  if (from === undefined || to === undefined) return "None is active.";
  return `The middle one is active at ${shareText(from)} to ${shareText(to)} of tokens.`;
}

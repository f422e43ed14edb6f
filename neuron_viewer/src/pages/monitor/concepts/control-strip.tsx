import { formatEffect } from "@/lib/format";

type ControlStripProps = {
  /** Measured joint effect of the concept. */
  effect: number;
  /** The same of random sets of like components. */
  controls: readonly number[];
  /** Largest size among everything that is compared, over all concepts. */
  scale: number;
};

/** Where a concept's effect lies among those of random sets of the same size: a dot among ticks, zero marked. */
export function ControlStrip({ effect, controls, scale }: ControlStripProps) {
  return (
    <span
      className={`ctl ${effect < 0 ? "neg" : "pos"}`}
      role="img"
      aria-label={`${formatEffect(effect)}; random sets ${rangeText(controls)}`}
    >
      <em style={{ left: at(0, scale) }} />
      {controls.map((control, index) => (
        <i key={index} style={{ left: at(control, scale) }} />
      ))}
      <b style={{ left: at(effect, scale) }} />
    </span>
  );
}

function at(value: number, scale: number): string {
  const share = scale > 0 ? Math.max(-1, Math.min(1, value / scale)) : 0;
  return `${(50 + 46 * share).toFixed(1)}%`;
}

function rangeText(controls: readonly number[]): string {
  if (controls.length === 0) return "not measured";
  return `from ${formatEffect(Math.min(...controls))} to ${formatEffect(Math.max(...controls))}`;
}

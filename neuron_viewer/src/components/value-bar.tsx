import { formatEffect, isZeroEffect } from "@/lib/format";

type ValueBarProps = {
  value: number | null;
  /** The value at which a bar reaches the end of its track; see `barScale`. */
  scale: number;
  /** Pale is an estimate, solid is measured (or exact). */
  estimated?: boolean;
  /** Where the estimate lies, as a tick on a measured bar. */
  estimate?: number | null;
  /** Draws the gap from tick to bar, where the two disagree. */
  disagrees?: boolean;
};

/** A signed number and its bar about zero. */
export function ValueBar(props: ValueBarProps) {
  const { value } = props;
  const quiet = value === null || isZeroEffect(value);
  return (
    <span className="vb">
      <span className={quiet ? "num quiet" : "num"}>{formatEffect(value)}</span>
      <Track {...props} />
    </span>
  );
}

/** The bar alone. A bar past the end of its scale is drawn broken. */
export function Track({ value, scale, estimated, estimate, disagrees }: ValueBarProps) {
  const end = place(value ?? 0, scale);
  const tick = typeof estimate === "number" ? place(estimate, scale) : null;
  const side = (value ?? 0) < 0 ? "n" : "p";
  return (
    <span className="track" aria-hidden="true">
      {value !== null && (
        <i className={estimated ? `${side} est` : side} style={{ width: `${Math.abs(end - 50)}%` }} />
      )}
      {disagrees && tick !== null && (
        <s style={{ left: `${Math.min(tick, end)}%`, width: `${Math.abs(tick - end)}%` }} />
      )}
      {tick !== null && <u style={{ left: `${tick}%` }} />}
      {Math.abs(value ?? 0) > scale && (
        <span className="over" style={side === "p" ? { right: 7 } : { left: 7 }} />
      )}
    </span>
  );
}

function place(value: number, scale: number): number {
  return 50 + 50 * Math.max(-1, Math.min(1, value / scale));
}

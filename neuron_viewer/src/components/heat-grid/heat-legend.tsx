import { formatEffect, formatMagnitude } from "@/lib/format";

export interface HeatLegendProps {
  maximum: number;
  /** Named after the larger end. */
  unit?: string;
  signed?: boolean;
  /** Of values that are never negative: in the colour of positive ones, or in that of maps without sign. */
  hue?: "pos" | "uns";
}

/** The one scale of a map, with its ends named. */
export function HeatLegend({ maximum, unit, signed = false, hue = "uns" }: HeatLegendProps) {
  return (
    <span className="legend">
      {signed ? formatEffect(-maximum) : "0"}
      <span className={signed ? "ramp" : `ramp ${hue}`} aria-hidden="true" />
      {signed ? formatEffect(maximum) : Number.isInteger(maximum) ? maximum : formatMagnitude(maximum)}
      {unit !== undefined && ` ${unit}`}
    </span>
  );
}

/**
 * The two colour scales and the bars' scale. A colour is a hue mixed into the ground by a share p, so zero is
 * the ground itself and both themes share one rule. Blue is positive, orange negative, violet unsigned.
 */
import type { CSSProperties } from "react";

export type Hue = "pos" | "neg" | "uns";

/** Share of the hue in a map's cell, 0 to 1. */
export function mapShare(value: number, max: number): number {
  return max > 0 && Number.isFinite(value) ? Math.min(1, Math.abs(value) / max) ** 0.65 : 0;
}

/** Share of the hue behind text: at most 55%, so that ink on it stays legible, and nothing below 4%. */
export function textShare(value: number, max: number): number {
  if (!(max > 0) || !Number.isFinite(value)) return 0;
  const share = 0.55 * Math.min(1, Math.abs(value) / max) ** 0.8;
  return share < 0.04 ? 0 : share;
}

export function hueOf(value: number): Hue {
  return value < 0 ? "neg" : "pos";
}

/** Colour of a map's cell; `unsigned` for attention and probability. */
export function cellColor(value: number, max: number, unsigned = false): string {
  return mix(unsigned ? "uns" : hueOf(value), mapShare(value, max), "var(--sunken)");
}

/** Ground behind a token. */
export function textHeat(value: number, max: number, unsigned = false): CSSProperties {
  const share = textShare(value, max);
  return share === 0
    ? {}
    : { backgroundColor: mix(unsigned ? "uns" : hueOf(value), share, "transparent") };
}

function mix(hue: Hue, share: number, ground: string): string {
  return `color-mix(in srgb, var(--${hue}) ${(share * 100).toFixed(1)}%, ${ground})`;
}

/** Largest absolute value; 0 for none. */
export function maxAbs(values: Iterable<number | null | undefined>): number {
  let max = 0;
  for (const value of values) {
    if (value !== null && value !== undefined && Number.isFinite(value)) max = Math.max(max, Math.abs(value));
  }
  return max;
}

/** One scale for the bars that are compared: the largest value but for outliers beyond three times the fourth. */
export function barScale(values: Iterable<number | null | undefined>): number {
  const sizes: number[] = [];
  for (const value of values) {
    if (value !== null && value !== undefined && Number.isFinite(value)) sizes.push(Math.abs(value));
  }
  sizes.sort((a, b) => b - a);
  const fourth = sizes[3];
  if (fourth === undefined || fourth === 0) return sizes[0] || 1;
  return sizes.find((size) => size <= 3 * fourth) || 1;
}

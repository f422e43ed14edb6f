/** Where a value stands among all the values a component took on a dataset. */
import type { Statistics } from "@/api/types";

export type Level = { share: number; value: number };

/** The quantiles in order of share. */
export function levelsOf({ quantiles }: Pick<Statistics, "quantiles">): Level[] {
  return Object.entries(quantiles)
    .map(([share, value]) => ({ share: Number(share), value }))
    .filter(({ share, value }) => share >= 0 && share <= 1 && Number.isFinite(value))
    .sort((a, b) => a.share - b.share);
}

/** Share of tokens with a smaller value, between two known levels by linear interpolation. */
export function shareBelow(value: number, levels: readonly Level[]): number | null {
  const above = levels.findIndex((level) => level.value > value);
  if (levels.length === 0) return null;
  if (above === 0) return levels[0]?.share ?? null;
  const low = levels.at(above < 0 ? -1 : above - 1);
  const high = above < 0 ? undefined : levels[above];
  if (!low) return null;
  if (!high) return low.share;
  return low.share + ((value - low.value) / (high.value - low.value)) * (high.share - low.share);
}

/** `top 0.15%` on the upper half, `bottom 2.0%` on the lower; past the last known level, `beyond`. */
export function standingText(value: number, levels: readonly Level[]): string | null {
  const [least] = levels;
  const below = shareBelow(value, levels);
  if (least === undefined || below === null) return null;
  if (value < least.value) return `bottom ${percent(least.share)}`; // a public record knows none below the median
  return below >= 0.5 ? `top ${percent(1 - below)}` : `bottom ${percent(below)}`;
}

const TWO_FIGURES = new Intl.NumberFormat("en-US", { maximumSignificantDigits: 2 });

/** A share in percent with two figures, however small: `3%`, `0.15%`, `0.00012%`. */
export function percent(share: number): string {
  return `${TWO_FIGURES.format(share * 100)}%`;
}

/** A quantile's level, exactly: `99.9%`, `0.00001%`. */
export function levelText(share: number): string {
  return `${Number((share * 100).toPrecision(9))}%`;
}

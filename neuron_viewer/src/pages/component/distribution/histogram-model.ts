/** A histogram as boxes and ticks, all in shares of the drawing's width and height. */

export interface Histogram {
  /** One more than there are counts, ascending; log-spaced on either side of zero. */
  edges: readonly number[];
  counts: readonly number[];
}

/** How many tokens fell in each bin, or how many per unit of activation. */
export type HistogramMode = "count" | "density";

export interface Bar {
  left: number;
  width: number;
  height: number;
  side: "positive" | "negative" | "middle";
  /** In words, for a title. */
  from: number;
  to: number;
  count: number;
}

export interface Tick {
  at: number;
  value: number;
}

export interface HistogramModel {
  bars: Bar[];
  across: Tick[];
  up: Tick[];
  /** Where a value lies across; held within the drawing. */
  place: (value: number) => number;
}

/**
 * Counts stand on the bins' own log-spaced axis, which shows the rare tails of both signs; densities on a linear
 * one. Heights are logarithmic in both.
 */
export function histogramModel(histogram: Histogram, mode: HistogramMode, range: Range = EVERYTHING): HistogramModel {
  const bins = within(range, binsOf(histogram));
  const first = bins[0]?.from ?? -1;
  const last = bins.at(-1)?.to ?? 1;
  const scale = mode === "density" ? (value: number) => value : symmetricLog(Math.max(-first, last) / 10 ** DECADES_SHOWN);
  const span = scale(last) - scale(first) || 1;
  const place = (value: number) => Math.min(1, Math.max(0, (scale(value) - scale(first)) / span));
  const total = bins.reduce((sum, { count }) => sum + count, 0) || 1;
  const sizes = bins.map(({ from, to, count }) => (mode === "count" ? count : count / total / (to - from)));
  const rise = heightScale(sizes, mode);
  return {
    bars: bins.map((bin, index) => ({
      ...bin,
      left: place(bin.from),
      width: place(bin.to) - place(bin.from),
      height: rise(sizes[index] ?? 0),
      side: bin.to <= 0 ? "negative" : bin.from >= 0 ? "positive" : "middle",
    })),
    across: apart((mode === "count" ? decades(first, last) : evenly(first, last)).map((value) => ({ value, at: place(value) }))),
    up: powers(Math.max(...sizes, 0), mode === "count" ? 1 : Math.min(...sizes.filter((size) => size > 0)))
      .map((value) => ({ value, at: rise(value) }))
      .filter(({ at }) => at > 0 && at <= 1),
    place,
  };
}

/** The smallest and the largest value: the outer bins may reach beyond them. */
export interface Range {
  min: number | null;
  max: number | null;
}

const EVERYTHING: Range = { min: null, max: null };

function within({ min, max }: Range, bins: readonly Bin[]): Bin[] {
  return bins.map((bin, index) => ({
    ...bin,
    from: index === 0 && min !== null && min < bin.to ? Math.max(min, bin.from) : bin.from,
    to: index === bins.length - 1 && max !== null && max > bin.from ? Math.min(max, bin.to) : bin.to,
  }));
}

type Bin = { from: number; to: number; count: number };

const DECADES_SHOWN = 3;
const BARS_A_SIDE = 36;

/** Bins of the values that are there: those near zero in one, the others in at most so many on either side. */
function binsOf({ edges, counts }: Histogram): Bin[] {
  const all = counts.map((count, index) => ({ from: edges[index] ?? 0, to: edges[index + 1] ?? 0, count }));
  const used = all.filter(({ count }) => count > 0);
  const low = used[0]?.from ?? 0;
  const high = used.at(-1)?.to ?? 0;
  const near = Math.max(-low, high) / 10 ** DECADES_SHOWN;
  const inRange = all.filter(({ from, to }) => from >= low && to <= high && to > from);
  const below = inRange.filter(({ to }) => to <= -near);
  const above = inRange.filter(({ from }) => from >= near);
  const middle = inRange.slice(below.length, inRange.length - above.length);
  return [...merged(below.reverse()).reverse(), ...(middle.length > 0 ? [joined(middle)] : []), ...merged(above)];
}

/** Neighbours joined, from zero outwards. */
function merged(bins: readonly Bin[]): Bin[] {
  const size = Math.max(1, Math.ceil(bins.length / BARS_A_SIDE));
  return Array.from({ length: Math.ceil(bins.length / size) }, (_, group) =>
    joined(bins.slice(group * size, (group + 1) * size)),
  );
}

function joined(bins: readonly Bin[]): Bin {
  return {
    from: Math.min(...bins.map(({ from }) => from)),
    to: Math.max(...bins.map(({ to }) => to)),
    count: bins.reduce((sum, { count }) => sum + count, 0),
  };
}

/** Width of the middle's half, in decades. */
const MIDDLE = 0.15;

/** Linear for what is nearer to zero than `smallest`, logarithmic beyond. */
function symmetricLog(smallest: number): (value: number) => number {
  return (value) => {
    const size = Math.abs(value) / smallest;
    return Math.sign(value) * (size <= 1 ? MIDDLE * size : MIDDLE + Math.log10(size));
  };
}

function heightScale(sizes: readonly number[], mode: HistogramMode): (size: number) => number {
  const most = Math.max(...sizes, 0);
  if (most === 0) return () => 0;
  if (mode === "count") return (count) => Math.log10(1 + count) / Math.log10(1 + most);
  const least = Math.min(...sizes.filter((size) => size > 0)) / 2;
  return (size) => (size <= least ? 0 : Math.log10(size / least) / Math.log10(most / least));
}

function powers(most: number, least: number): number[] {
  if (!(most > 0) || !(least > 0)) return [];
  const found: number[] = [];
  for (let power = Math.ceil(Math.log10(least)); power <= Math.log10(most); power++) found.push(10 ** power);
  return found.length > 6 ? found.filter((_, index) => index % Math.ceil(found.length / 6) === 0) : found;
}

const DECADES = 3;

/** Zero, and the largest powers of ten of either sign. */
function decades(first: number, last: number): number[] {
  const sideOf = (size: number, sign: 1 | -1) => {
    if (!(size > 0)) return [];
    const top = Math.floor(Math.log10(size));
    return Array.from({ length: DECADES }, (_, down) => sign * 10 ** (top - down));
  };
  const ticks = [...sideOf(-first, -1), ...(first <= 0 && last >= 0 ? [0] : []), ...sideOf(last, 1)];
  return ticks.filter((value) => value >= first && value <= last);
}

const LEAST_GAP = 0.07;

/** Ticks that leave room for their text; zero first, then the larger ones. */
function apart(ticks: readonly Tick[]): Tick[] {
  const kept: Tick[] = [];
  const byWeight = [...ticks].sort((a, b) => weightOf(b) - weightOf(a));
  for (const tick of byWeight) {
    if (kept.every(({ at }) => Math.abs(at - tick.at) >= LEAST_GAP)) kept.push(tick);
  }
  return kept.sort((a, b) => a.at - b.at);
}

function weightOf({ value }: Tick): number {
  return value === 0 ? Infinity : Math.abs(value);
}

/** About five round values. */
function evenly(first: number, last: number): number[] {
  const rough = (last - first) / 5;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((one) => one >= rough) ?? rough;
  const ticks: number[] = [];
  for (let k = Math.ceil(first / step); k * step <= last; k++) ticks.push(k * step || 0);
  return ticks;
}

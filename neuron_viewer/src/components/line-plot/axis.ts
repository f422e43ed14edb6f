/** Where the ticks of an axis stand, and which part of it is shown. */

export type Domain = [number, number];

/** Some three to six round numbers within a domain: steps of 1, 2 or 5 times a power of ten. */
export function ticksOf([low, high]: Domain, wanted = 4): number[] {
  const span = high - low;
  if (!(span > 0)) return [low];
  const rough = span / wanted;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ([1, 2, 5, 10].find((factor) => factor * power >= rough) ?? 10) * power;
  const first = Math.ceil(low / step - 1e-9);
  const last = Math.floor(high / step + 1e-9);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => (first + index) * step);
}

/** The least domain that holds every value, made round; values that are all alike get room about them. */
export function domainOf(values: number[]): Domain {
  const finite = values.filter(Number.isFinite);
  const low = Math.min(...finite);
  const high = Math.max(...finite);
  if (finite.length === 0) return [0, 1];
  if (low === high) return low === 0 ? [0, 1] : low > 0 ? [0, low * 1.25] : [low * 1.25, 0];
  const pad = (high - low) * 0.06;
  // A measure that cannot be negative is not drawn as if it could.
  return [low >= 0 ? Math.max(0, low - pad) : low - pad, high + pad];
}

/** A tick's text: as many decimals as its step needs. */
export function tickText(value: number, ticks: number[]): string {
  const step = Math.abs((ticks[1] ?? 1) - (ticks[0] ?? 0)) || 1;
  if (step >= 1000) return new Intl.NumberFormat("en-US", { notation: "compact" }).format(value);
  const decimals = Math.max(0, Math.min(6, -Math.floor(Math.log10(step) + 1e-9)));
  return value.toFixed(decimals).replace("-", "\u2212");
}

/** The same for a share, in percent. */
export function percentTick(value: number, ticks: number[]): string {
  return `${tickText(value * 100, ticks.map((tick) => tick * 100))}%`;
}

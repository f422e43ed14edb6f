/** Figures of an estimate as people read them, and where a job stops by itself. */

/** Two figures, upward: more would pretend to know. */
export function roughly(value: number): number {
  const step = 10 ** Math.max(0, Math.floor(Math.log10(Math.max(1, value))) - 1);
  return Math.ceil(value / step) * step;
}

/** Tokens after which an explain job stops: half as much again as it should take. */
export function budgetOf({ n_tokens }: { n_tokens: number }): number {
  return roughly(Math.max(1000, 1.5 * n_tokens));
}

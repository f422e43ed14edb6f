/** The values of one component along the prompt, cut down to what fits a row of the table. */

export type StripToken = { text: string; position: number; value: number };

/** Prompts up to this many tokens are shown whole. */
export const WHOLE_UP_TO = 48;

/** The strongest tokens and the one asked about, in prompt order; null stands for those left out between. */
export function stripTokens(
  tokens: readonly { text: string }[],
  values: readonly number[],
  at: number | null,
): (StripToken | null)[] {
  const all = tokens.map(({ text }, position) => ({ text, position, value: values[position] ?? 0 }));
  if (all.length <= WHOLE_UP_TO) return all;
  const strongest = [...all].sort((a, b) => Math.abs(b.value) - Math.abs(a.value)).slice(0, WHOLE_UP_TO / 2);
  const kept = new Set(strongest.map(({ position }) => position));
  if (at !== null) kept.add(at);
  const result: (StripToken | null)[] = [];
  for (const token of all) {
    if (kept.has(token.position)) result.push(token);
    else if (result.at(-1) !== null) result.push(null);
  }
  return result;
}

/** Attention weights read `.74`, and nothing below a hundredth. */
export function formatWeight(weight: number): string {
  if (weight < 0.005) return "";
  return weight > 0.995 ? "1" : weight.toFixed(2).slice(1);
}

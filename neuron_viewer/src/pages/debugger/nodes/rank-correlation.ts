/** Ranks from 0, ties sharing their mean rank. */
function ranks(values: readonly number[]): number[] {
  const order = values.map((_, i) => i).sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const result = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length;) {
    let end = start;
    while (end + 1 < order.length && values[order[end + 1] ?? 0] === values[order[start] ?? 0]) end++;
    for (let i = start; i <= end; i++) result[order[i] ?? 0] = (start + end) / 2;
    start = end + 1;
  }
  return result;
}

/** Spearman's rank correlation; null below three pairs or when one side never varies. */
export function rankCorrelation(pairs: readonly (readonly [number, number])[]): number | null {
  if (pairs.length < 3) return null;
  const a = ranks(pairs.map((pair) => pair[0]));
  const b = ranks(pairs.map((pair) => pair[1]));
  const mean = (pairs.length - 1) / 2;
  let ab = 0;
  let aa = 0;
  let bb = 0;
  for (const [i, x] of a.entries()) {
    const dx = x - mean;
    const dy = (b[i] ?? mean) - mean;
    ab += dx * dy;
    aa += dx * dx;
    bb += dy * dy;
  }
  return aa === 0 || bb === 0 ? null : ab / Math.sqrt(aa * bb);
}

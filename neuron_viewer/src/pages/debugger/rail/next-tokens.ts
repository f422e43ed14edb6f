import type { NextToken } from "@/api/types";
import { maxAbs } from "@/lib/color";

export interface NextTokenRow {
  id: number;
  text: string;
  role: "target" | "distractor" | null;
  /** One per case; null where the token was not among that case's listed ones. */
  cases: readonly (NextToken | null)[];
}

const SHOWN = 7;

/** The most probable tokens of every case and all targets and distractors, most probable first. */
export function nextTokenRows(cases: readonly { next_tokens: NextToken[] }[], shown = SHOWN): NextTokenRow[] {
  const byId = new Map<number, (NextToken | null)[]>();
  cases.forEach((one, index) => {
    for (const token of one.next_tokens) {
      const row = byId.get(token.id) ?? cases.map(() => null);
      row[index] = token;
      byId.set(token.id, row);
    }
  });
  const rows = [...byId.entries()].map(([id, found]) => rowOf(id, found)).sort(byProbability);
  const optional = rows.filter((row) => row.role === null);
  const room = Math.max(1, shown - (rows.length - optional.length));
  const kept = new Set(optional.slice(0, room));
  return rows.filter((row) => row.role !== null || kept.has(row));
}

function rowOf(id: number, cases: (NextToken | null)[]): NextTokenRow {
  const first = cases.find((token) => token !== null);
  const role = cases.find((token) => token?.role)?.role ?? null;
  return { id, text: first?.text ?? "", role, cases };
}

/** By probability in the left case, then in the right. */
function byProbability(a: NextTokenRow, b: NextTokenRow): number {
  const left = (b.cases[0]?.prob ?? 0) - (a.cases[0]?.prob ?? 0);
  return left !== 0 ? left : (b.cases[1]?.prob ?? 0) - (a.cases[1]?.prob ?? 0);
}

/** Change in probability, left minus right, as a share of one; null unless both cases list the token. */
export function changeOf(row: NextTokenRow): number | null {
  const [left, right] = row.cases;
  return left && right ? left.prob - right.prob : null;
}

/** The bars' end: the largest change, but never less than ten points, so that small ones look small. */
export function probabilityScale(rows: readonly NextTokenRow[]): number {
  return Math.max(0.1, maxAbs(rows.map(changeOf)));
}

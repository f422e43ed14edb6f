/** Hits as rows: a side of a component that was found by several of its explanations is one row with all of them. */
import type { SearchHit } from "@/api/explanations";

export type Row = SearchHit & { others: NonNullable<SearchHit["explanation"]>[] };

/** In the order of each side's best hit. */
export function mergeHits(hits: readonly SearchHit[]): Row[] {
  const rows = new Map<string, Row>();
  for (const hit of hits) {
    const key = `${hit.component} ${hit.side}`;
    const row = rows.get(key);
    if (!row) rows.set(key, { ...hit, others: [] });
    else if (hit.explanation) row.others.push(hit.explanation);
  }
  return [...rows.values()];
}

import { ScoreBar } from "@/components/score-bar";
import { unbroken } from "@/lib/unbroken";

import { useTable } from "./table-context";
import type { TableRow } from "./table-rows";

/** Everything that is said of the row's component, side by side with its score. */
export function RowExplanations({ row }: { row: TableRow }) {
  const { labels } = useTable();
  const explanations = labels[row.row.component] ?? [];
  if (explanations.length === 0) return null;
  const isTwoSided = new Set(explanations.map(({ side }) => side)).size > 1;
  return (
    <ul className="rowlabels">
      {explanations.map((one) => (
        <li key={one.id}>
          {isTwoSided && <b className={one.side === "negative" ? "neg" : "pos"}>{one.side === "negative" ? "\u2212" : "+"}</b>}
          <span>{unbroken(one.text)}</span>
          <ScoreBar explanation={one} />
        </li>
      ))}
    </ul>
  );
}

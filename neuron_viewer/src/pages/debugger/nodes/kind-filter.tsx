import type { Filters } from "@/lib/url-state";

import { kindsOf } from "./filtering";
import type { TableRow } from "./table-rows";

type Kind = Filters["kind"];
type KindFilterProps = { rows: readonly TableRow[]; kind: Kind; onChange: (kind: Kind) => void };

const NAMES: [Kind, string][] = [
  ["all", "All"],
  ["embed", "Embed"],
  ["attn", "Attn"],
  ["mlp", "MLP"],
  ["latent", "Latents"],
];

/** One kind of component, of those that are in the table. */
export function KindFilter({ rows, kind, onChange }: KindFilterProps) {
  const present = new Set(rows.flatMap(({ row }) => kindsOf(row)));
  const offered = NAMES.filter(([name]) => name === "all" || name === kind || present.has(name));
  return (
    <span className="seg" role="group" aria-label="Kind">
      {offered.map(([name, label]) => (
        <button key={name} type="button" aria-pressed={kind === name} onClick={() => onChange(name)}>
          {label}
        </button>
      ))}
    </span>
  );
}

import type { InfluenceItem, InfluenceResponse } from "@/api/types";
import { formatEffect } from "@/lib/format";

import type { Listing, Range } from "../monitor-state";

type SumsProps = {
  data: Pick<InfluenceResponse, "totals" | "objective">;
  listing: Listing;
  /** The rows that text and score leave. */
  shown: readonly InfluenceItem[];
};

/** What all that is asked about adds up to, and what is left out of that. */
export function Sums({ data, listing, shown }: SumsProps) {
  const { totals, objective } = data;
  const listed = shown.reduce((sum, { attribution }) => sum + (attribution ?? 0), 0);
  const filters = filtersOf(listing, objective.position);
  return (
    <p className="pad note sums">
      {filters.length === 0 ? "All components together " : `All that pass the filters (${filters.join(", ")}) together `}
      <b>{formatEffect(totals.all)}</b> {objective.unit}: {formatEffect(totals.positive)} where they are above zero,{" "}
      {formatEffect(totals.negative)} below. {filters.length > 0 && "All else is left out of these sums. "}
      The rows listed hold {formatEffect(listed)}.
    </p>
  );
}

const KINDS = { attn: "attention heads", mlp: "neurons", latent: "latents" };
const SIDES = { positive: "activation above zero", negative: "activation below zero" };

/** The filters that narrow the sums. Text and score only narrow the rows. */
export function filtersOf({ kind, side, layers, tokens }: Listing, position: number): string[] {
  const filters: string[] = [];
  if (kind !== "all") filters.push(KINDS[kind]);
  if (side !== "both") filters.push(SIDES[side]);
  if (layers) filters.push(rangeText("layer", layers));
  // Only what comes before the explained token is asked about.
  if (tokens && tokens[0] < position) filters.push(rangeText("token", [tokens[0], Math.min(tokens[1], position - 1)]));
  return filters;
}

function rangeText(name: string, [first, last]: Range): string {
  return first === last ? `${name} ${first}` : `${name}s ${first}\u2013${last}`;
}

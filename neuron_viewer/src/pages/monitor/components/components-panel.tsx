import { useVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";

import type { InfluenceItem, InfluenceResponse } from "@/api/types";
import { Async, type Asynchronous } from "@/components/async";
import { barScale } from "@/lib/color";
import { define } from "@/lib/define";

import type { Listing } from "../monitor-state";
import { ComponentRow } from "./component-row";
import { type Lasts, ListingControls } from "./listing-controls";
import { Sums } from "./sums";

/** Measured effects by node; a node that is not there is still to come, or lies past those that are measured. */
export type MeasuredItems = { effects: ReadonlyMap<string, number>; isRunning: boolean };

type ComponentsPanelProps = {
  query: Asynchronous<InfluenceResponse>;
  listing: Listing;
  lasts: Lasts;
  onListing: (listing: Listing) => void;
  measured: MeasuredItems;
  onSteer: (item: InfluenceItem) => void;
};

/** The leading components, with side, activation in their own terms, attribution and measured effect. */
export function ComponentsPanel({ query, listing, lasts, onListing, measured, onSteer }: ComponentsPanelProps) {
  const { data } = query;
  return (
    <section className="panel nodes" aria-labelledby="components-title">
      <header>
        <h2 id="components-title">Components</h2>
        <span className="note">{data && `leading ${data.items.length}`}</span>
        <ListingControls listing={listing} lasts={lasts} onChange={onListing} />
        <span className="end note" role="status">
          {measured.isRunning && "Measuring the first 60"}
        </span>
      </header>
      <Async
        query={query}
        loading={<p className="pad note componentswait">Differentiating the whole model</p>}
        isEmpty={({ items }) => items.length === 0}
        empty={<p className="pad note">No component passes these filters.</p>}
      >
        {(found) => (
          <Rows
            items={shownItems(found, listing)}
            tokens={found.tokens}
            listing={listing}
            measured={measured}
            onSteer={onSteer}
          />
        )}
      </Async>
      {data && <Sums data={data} listing={listing} shown={shownItems(data, listing)} />}
    </section>
  );
}

type RowsProps = Omit<ComponentsPanelProps, "query" | "lasts" | "onListing"> & {
  items: readonly InfluenceItem[];
  tokens: InfluenceResponse["tokens"];
};
const ROW = 24;

function Rows({ items, tokens, listing, measured, onSteer }: RowsProps) {
  const box = useRef<HTMLDivElement>(null);
  const rows = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => ROW,
    overscan: 12,
  });
  const scale = barScale([
    ...items.map((item) => item.attribution),
    ...items.map((item) => measured.effects.get(item.node) ?? null),
  ]);
  const slots = rows.getVirtualItems();
  const above = slots[0]?.start ?? 0;
  const below = rows.getTotalSize() - (slots.at(-1)?.end ?? 0);
  return (
    <div className="scroll cmbox" ref={box}>
      <table className="table cm" aria-rowcount={items.length + 1}>
        <thead>
          <tr>
            <th scope="col">Node</th>
            <th scope="col">Token</th>
            <th scope="col" className="num" {...define("side")}>Side</th>
            <th scope="col" className="num" aria-sort={listing.by === "activation" ? "descending" : undefined}>
              <abbr title="Activation, of a head its write magnitude, over its own extreme quantile on that side">Act.</abbr>
            </th>
            <th
              scope="col"
              className="num"
              aria-sort={listing.by === "attribution" ? "descending" : undefined}
              {...define("influence_attribution")}
            >
              Attribution
            </th>
            <th scope="col" className="num" {...define("measured_effect")}>Measured</th>
            <th scope="col" className="c-flag"><span className="sr">Disagreement</span></th>
            <th scope="col" className="c-pro">Explanation</th>
          </tr>
        </thead>
        <tbody>
          {above > 0 && <tr aria-hidden="true"><td colSpan={8} style={{ height: above, padding: 0 }} /></tr>}
          {slots.map(({ index, key }) => {
            const item = items[index];
            return (
              item && (
                <ComponentRow
                  key={key}
                  item={item}
                  index={index}
                  token={tokens[item.position]?.text ?? ""}
                  scale={scale}
                  measured={measured.effects.get(item.node) ?? (measured.isRunning ? undefined : null)}
                  onSteer={() => { onSteer(item); }}
                />
              )
            );
          })}
          {below > 0 && <tr aria-hidden="true"><td colSpan={8} style={{ height: below, padding: 0 }} /></tr>}
        </tbody>
      </table>
    </div>
  );
}

/** Text filters by name and explanation, the score by how well that explanation does; the rest the server has done. */
export function shownItems(
  { items }: Pick<InfluenceResponse, "items">,
  { text, minScore }: Listing,
): readonly InfluenceItem[] {
  const wanted = text.trim().toLowerCase();
  const scored = minScore === null ? items : items.filter((item) => (item.explanation_score ?? -Infinity) >= minScore);
  if (wanted === "") return scored;
  return scored.filter((item) => `${item.node} ${item.explanation ?? ""}`.toLowerCase().includes(wanted));
}

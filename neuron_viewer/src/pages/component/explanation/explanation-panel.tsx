import { useState } from "react";

import type { Explanation } from "@/api/types";
import type { Component } from "@/lib/node";
import { formatMagnitude } from "@/lib/format";

import { signed } from "../text-readout";
import type { RecordState } from "../use-record";
import { ExplanationSlot } from "./explanation-slot";
import { OwnExplanation } from "./own-explanation";
import { sidesOf, type Side, type SideRecord } from "./sides";
import { SimulationPanel } from "./simulation-panel";
import { useStoredExplanations } from "./use-stored-explanations";
import "./explanation.css";

export interface ExplanationPanelProps {
  component: Component;
  record: RecordState;
}

/** What is open below the slots: an explanation's simulation, or a sentence of one's own. */
type Open = { kind: "simulation"; explanation: Explanation } | { kind: "own"; side: Side } | null;

/** What each side of the component responds to, in words, and how well the words predict it. */
export function ExplanationPanel({ component, record }: ExplanationPanelProps) {
  const [open, setOpen] = useState<Open>(null);
  const isSigned = component.kind === "mlp";
  const stored = useStoredExplanations(component.name, record.state === "missing" || record.state === "error");
  const sides = sidesOf(record.state === "loaded" ? record.record : null, isSigned, stored ?? []);
  function toggle(next: NonNullable<Open>) {
    setOpen((old) => (old !== null && isSame(old, next) ? null : next));
  }
  return (
    <>
      <section className={isSigned ? "sides" : "sides one"} aria-label="Explanation" aria-busy={record.state === "loading"}>
        {sides.map((side) => (
          <div key={side.side} className="side">
            <SideName side={side} isSigned={isSigned} />
            <ExplanationSlot
              component={component.name}
              side={side}
              record={stored === null ? { state: "loading" } : record}
              compared={open?.kind === "simulation" ? open.explanation.id : null}
              onCompare={(explanation) => {
                toggle({ kind: "simulation", explanation });
              }}
              onWrite={() => {
                toggle({ kind: "own", side: side.side });
              }}
            />
          </div>
        ))}
      </section>
      {open?.kind === "simulation" && (
        <SimulationPanel component={component.name} explanation={open.explanation} onClose={() => { setOpen(null); }} />
      )}
      {open?.kind === "own" && (
        <OwnExplanation
          key={open.side}
          component={component}
          side={open.side}
          rivals={sides.find(({ side }) => side === open.side)?.explanations ?? []}
          onClose={() => { setOpen(null); }}
        />
      )}
    </>
  );
}

function isSame(old: NonNullable<Open>, next: NonNullable<Open>): boolean {
  if (old.kind === "simulation") return next.kind === "simulation" && old.explanation.id === next.explanation.id;
  return next.kind === "own" && old.side === next.side;
}

function SideName({ side: { side, peak }, isSigned }: { side: SideRecord; isSigned: boolean }) {
  const isPositive = side === "positive";
  return (
    <span className="sh">
      {isSigned ? (
        <b className={isPositive ? "pos" : "neg"}>{isPositive ? "+ side" : "\u2212 side"}</b>
      ) : (
        <b>Explanation</b>
      )}
      {peak !== null && <span className="quiet">peak {isSigned ? signed(peak) : formatMagnitude(peak)}</span>}
    </span>
  );
}

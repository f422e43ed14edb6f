import type { ComponentRecord } from "@/api/types";
import { formatMagnitude } from "@/lib/format";

import { signed } from "../text-readout";
import type { RecordState } from "../use-record";
import { ExplanationSlot } from "./explanation-slot";
import { sidesOf, type SideRecord } from "./sides";
import "./explanation.css";

export interface ExplanationPanelProps {
  component: string;
  record: RecordState;
  isSigned: boolean;
}

/** What each side of the component responds to, in words, and how well the words predict it. */
export function ExplanationPanel({ component, record, isSigned }: ExplanationPanelProps) {
  const loaded: ComponentRecord | null = record.state === "loaded" ? record.record : null;
  const sides = sidesOf(loaded, isSigned);
  return (
    <section className={isSigned ? "sides" : "sides one"} aria-label="Explanation" aria-busy={record.state === "loading"}>
      {sides.map((side) => (
        <div key={side.side} className="side">
          <SideName side={side} isSigned={isSigned} />
          <ExplanationSlot component={component} side={side} record={record} />
        </div>
      ))}
    </section>
  );
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

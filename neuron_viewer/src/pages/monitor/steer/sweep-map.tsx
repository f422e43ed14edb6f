import type { SweepSoFar } from "@/api/monitor";
import type { SweepCell } from "@/api/types";
import { formatProb } from "@/lib/format";

type SweepMapProps = {
  sweep: SweepSoFar;
  ks: readonly number[];
  strengths: readonly number[];
  chosen: SweepCell | null;
  onChoose: (cell: SweepCell) => void;
};

/** The watched token's probability by strength (across) and number of components (down); a click takes the cell. */
export function SweepMap({ sweep, ks, strengths, chosen, onChoose }: SweepMapProps) {
  return (
    <div
      className="map sw"
      role="group"
      aria-label="Sweep"
      style={{ gridTemplateColumns: `22px repeat(${strengths.length}, 1fr)` }}
    >
      {ks.map((k) => [
        <span key={k} className="ml" title={`${k} components`}>{k}</span>,
        ...strengths.map((strength) => {
          const cell = sweep.cells.find((found) => found.k === k && found.strength === strength);
          return cell ? (
            <Cell
              key={`${k} ${strength}`}
              cell={cell}
              isChosen={cell === chosen}
              onChoose={() => { onChoose(cell); }}
            />
          ) : (
            <span key={`${k} ${strength}`} className="cell swc"><span className="pend" /></span>
          );
        }),
      ])}
      <span />
      {strengths.map((strength) => (
        <span key={strength} className="ml c">{strength}</span>
      ))}
    </div>
  );
}

function Cell({ cell, isChosen, onChoose }: { cell: SweepCell; isChosen: boolean; onChoose: () => void }) {
  const { k, strength, probability, kl, repetition, usable } = cell;
  const said = [`k ${k}, strength ${strength}: ${formatProb(probability)}`, kl === null ? "overflow" : `KL ${kl.toFixed(2)}`];
  if (repetition !== null) said.push(`repetition ${repetition.toFixed(2)}`);
  if (usable) said.push("usable");
  return (
    <button
      type="button"
      className={["cell swc u", usable && "good", isChosen && "sel"].filter(Boolean).join(" ")}
      style={{ "--p": `${(60 * probability ** 0.65).toFixed(0)}%` }}
      title={said.join(", ")}
      aria-label={said.join(", ")}
      aria-pressed={isChosen}
      onClick={onChoose}
    >
      {probability.toFixed(2).replace(/^0/, "")}
    </button>
  );
}

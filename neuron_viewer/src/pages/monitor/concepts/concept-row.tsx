import type { Cluster } from "@/api/types";
import { ValueBar } from "@/components/value-bar";
import { define } from "@/lib/define";

import { ControlStrip } from "./control-strip";
import { LayerBars } from "./layer-bars";
import { verdictOf } from "./verdict";

type ConceptRowProps = {
  cluster: Cluster;
  nLayers: number;
  /** Whether a language model judged any of them. */
  hasCoherence: boolean;
  scales: { bars: number; strip: number };
  /** What it is steered with now; null while it is not. */
  strength: number | null;
  onSteer: (strength: number) => void;
};

export const STRENGTHEN = 0.5;

/** Says that a group's members have little in common. */
function LooseMark({ tightness }: { tightness: number }) {
  return <abbr title={`Two members' explanations have a cosine of ${tightness.toFixed(2)} on average`}>loose</abbr>;
}

/** One concept: who is in it, what it did, whether chance would do as well, and its switch. */
export function ConceptRow({ cluster, nLayers, hasCoherence, scales, strength, onSteer }: ConceptRowProps) {
  const { name, words, coherence, members, attribution, measured_effect: measured, controls } = cluster;
  const verdict = verdictOf(controls);
  return (
    <tr className={[verdict?.isWeak && "weak", strength !== null && "on"].filter(Boolean).join(" ") || undefined}>
      <td className="c-name">
        <span className="cn" title={members.map(({ component, explanation }) => `${component}: ${explanation}`).join("\n")}>
          <b>{name}</b>
          <span className="quiet small">
            {cluster.is_loose && <><LooseMark tightness={cluster.tightness} />{": "}</>}
            {words.slice(0, 4).join(", ") || members[0]?.explanation}
          </span>
        </span>
      </td>
      {hasCoherence && <td className="num c-coh">{coherence ?? "\u2013"}</td>}
      <td className="num c-mem">
        {members.length}{" "}
        <span className="quiet">
          {cluster.n_positive}+ {cluster.n_negative}{"\u2212"}
        </span>
      </td>
      <td className="c-lay">
        <LayerBars layers={members.map(({ layer }) => layer)} nLayers={nLayers} />
      </td>
      <td className="c-est" {...define("influence_attribution", { exact: attribution })}>
        <ValueBar value={attribution} scale={scales.bars} estimated />
      </td>
      <td className="c-meas" {...define("joint_effect", { exact: measured })}>
        {measured === null ? <span className="pend" /> : <ValueBar value={measured} scale={scales.bars} estimate={attribution} />}
      </td>
      <td>
        {measured !== null && controls && (
          <ControlStrip effect={measured} controls={controls.effects} scale={scales.strip} />
        )}
        {verdict && <span className={verdict.isWeak ? "verdict alert" : "verdict"}>{verdict.text}</span>}
      </td>
      <td className="num c-steer">
        <span className="seg" role="group" aria-label={`Steer ${name}`}>
          <button type="button" aria-pressed={strength === 0} onClick={() => { onSteer(0); }}>
            Suppress
          </button>
          <button
            type="button"
            aria-pressed={strength !== null && strength > 0}
            onClick={() => { onSteer(STRENGTHEN); }}
          >
            Strengthen
          </button>
        </span>
      </td>
    </tr>
  );
}

import { streamSweep, type SweepSoFar } from "@/api/monitor";
import type { ConceptSpec, SweepRequest } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { Token } from "@/components/token";
import { define } from "@/lib/define";
import { formatProb } from "@/lib/format";
import { useStream } from "@/lib/use-stream";

import { conversationOf } from "../conversation-request";
import type { MonitorState, Swept } from "../monitor-state";
import { tokensText } from "./active-concept";
import { sameConcept } from "./same-concept";
import { sweepSizes, SWEEP_STRENGTHS } from "./sweep-sizes";
import { SweepMap } from "./sweep-map";

type SweepPanelProps = {
  state: MonitorState;
  concept: ConceptSpec;
  /** Tokens of the text; 0 before it is read. */
  nTokens: number;
  onSweep: (sweep: Swept) => void;
  onChoose: (concept: ConceptSpec) => void;
};

/** What strength and number of components do to the clicked token, and to everything else. */
export function SweepPanel({ state, concept, nTokens, onSweep, onChoose }: SweepPanelProps) {
  const { position, token } = state.explained;
  const wanted = position === null ? null : { concept, position, token };
  const request = wanted && requestOf(state, wanted);
  // Of another concept's sweep nothing holds for this one.
  const swept = state.sweep && sameConcept([concept], state.sweep.concept) ? state.sweep : null;
  const asked = swept && requestOf(state, swept);
  const outside = nTokens === 0 ? [] : (concept.positions ?? []).filter((at) => at >= nTokens);
  const isStale = asked !== null && JSON.stringify(asked) !== JSON.stringify(request);
  const query = useStream<SweepSoFar>(asked && JSON.stringify(asked), (signal) =>
    streamSweep(asked as SweepRequest, signal),
  );
  const { data } = query;
  const chosen = data?.cells.find((c) => c.k === concept.members.length && c.strength === concept.strength);
  return (
    <>
      <div className="swh">
        <h3>{data ? <>Probability of <Token text={data.token.text} /> over k and {"\u03bb"}</> : "Strength and number"}</h3>
        {data && <span className="note">outlined: usable, KL at most {asked?.max_kl}</span>}
      </div>
      {query.error && <ErrorNote error={query.error} />}
      {outside.length > 0 && (
        <p className="small alert">
          The text has tokens 0{"\u2013"}{nTokens - 1}. The concept is to act at {tokensText(outside)} too.
        </p>
      )}
      {(!data || isStale) && (
        <div className="row">
          <button
            type="button"
            className="btn small"
            disabled={wanted === null || outside.length > 0 || query.isRunning}
            onClick={() => { if (wanted) onSweep(wanted); }}
          >
            {query.isRunning ? "Sweeping" : isStale ? "Sweep again" : "Sweep strength and number"}
          </button>
          {request === null && <span className="note">Click the token to watch first.</span>}
        </div>
      )}
      {data && (
        <SweepMap
          sweep={data}
          ks={asked?.ks ?? []}
          strengths={asked?.strengths ?? []}
          chosen={chosen ?? null}
          onChoose={({ k, strength }) => {
            onChoose({ ...concept, members: (asked?.members ?? concept.members).slice(0, k), strength });
          }}
        />
      )}
      {data && chosen && (
        <dl className="res">
          <div>
            <dt>Probability of <Token text={data.token.text} /></dt>
            <dd>{formatProb(data.baseline)} {"\u2192"} <b>{formatProb(chosen.probability)}</b></dd>
          </div>
          <div {...define("sweep_kl", { exact: chosen.kl, unit: "nats per token" })}>
            <dt>KL, other text</dt>
            <dd><b>{chosen.kl === null ? "overflow" : chosen.kl.toFixed(2)}</b></dd>
          </div>
          <div {...define("repetition", { exact: chosen.repetition })}>
            <dt>Repetition</dt>
            <dd><b>{chosen.repetition === null ? "\u2013" : chosen.repetition.toFixed(2)}</b></dd>
          </div>
        </dl>
      )}
    </>
  );
}

function requestOf(state: MonitorState, { concept, position, token }: Swept): SweepRequest {
  return {
    ...conversationOf(state),
    members: concept.members,
    ks: sweepSizes(concept.members.length),
    strengths: SWEEP_STRENGTHS,
    method: concept.method,
    where: concept.where,
    positions: concept.positions,
    only_matching_side: concept.only_matching_side,
    position,
    token,
    other_texts: [],
    n_reply_tokens: 24,
    max_kl: 0.25,
    max_repetition: 0.2,
  };
}

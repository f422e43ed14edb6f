import { useState } from "react";

import { streamSweep, type SweepSoFar } from "@/api/monitor";
import type { ConceptSpec, SweepRequest } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { Token } from "@/components/token";
import { define } from "@/lib/define";
import { formatProb } from "@/lib/format";
import { useStream } from "@/lib/use-stream";

import { conversationOf } from "../conversation-request";
import type { MonitorState } from "../monitor-state";
import { sweepSizes, SWEEP_STRENGTHS } from "./sweep-sizes";
import { SweepMap } from "./sweep-map";

type SweepPanelProps = {
  state: MonitorState;
  concept: ConceptSpec;
  onChoose: (concept: ConceptSpec) => void;
};

/** What strength and number of components do to the clicked token, and to everything else. */
export function SweepPanel({ state, concept, onChoose }: SweepPanelProps) {
  const [asked, setAsked] = useState<SweepRequest | null>(null);
  const position = state.explained.position;
  const request = position === null ? null : requestOf(state, concept, position);
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
      {(!data || isStale) && (
        <div className="row">
          <button
            type="button"
            className="btn small"
            disabled={request === null || query.isRunning}
            onClick={() => { setAsked(request); }}
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

function requestOf(state: MonitorState, concept: ConceptSpec, position: number): SweepRequest {
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
    token: state.explained.token,
    other_texts: [],
    n_reply_tokens: 24,
    max_kl: 0.25,
    max_repetition: 0.2,
  };
}

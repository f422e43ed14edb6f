import { useState } from "react";

import type { InfluenceResponse, TokenStatistics } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { maxAbs } from "@/lib/color";

import { isAsked, shownRequest } from "../conversation-request";
import { listingBefore, NOTHING_EXPLAINED, type Explained } from "../monitor-state";
import type { Monitor } from "../use-monitor";
import { Alternatives } from "./alternatives";
import { CompareView } from "./compare-view";
import { Composer } from "./composer";
import { HeatLegend } from "./heat-legend";
import { MadeOtherwise } from "./made-otherwise";
import { Openings } from "./openings";
import { SamplingOptions } from "./sampling-options";
import { TokenCard, usePointed } from "./token-card";
import { TurnView } from "./turn-view";
import { turnsOf } from "./turns";
import type { ConversationNow } from "./use-conversation";

type ConversationPanelProps = {
  monitor: Monitor;
  talk: ConversationNow;
  isChat: boolean;
  /** Texts to begin with. */
  prompts: readonly string[];
  /** Influence of each token of the whole text on the one explained; null before it is known. */
  heat: readonly number[] | null;
  objective: InfluenceResponse["objective"] | null;
};

/** The conversation: every token can be pointed at, explained, and branched from. */
export function ConversationPanel({ monitor, talk, isChat, prompts, heat, objective }: ConversationPanelProps) {
  const { state, change } = monitor;
  const [pointed, point] = usePointed();
  const [showsTemplate, setShowsTemplate] = useState(false);
  const { tokens, isWriting, error } = talk;
  const nTemplate = tokens.filter(({ role }) => role === "template").length;
  const picked = state.explained.position;
  const acts = {
    onPick: (at: number) => {
      if (at === picked) change({ explained: NOTHING_EXPLAINED });
      else change({ explained: explanationOf(at, tokens[at]), listing: listingBefore(state.listing, at) });
    },
    onRange: (first: number, last: number) => { change({ listing: { ...state.listing, tokens: [first, last] } }); },
    onPoint: point,
  };
  const concepts = state.concepts.filter((concept) => concept.enabled);
  const shown = pointed && pointed.at !== picked ? tokens[pointed.at] : undefined;
  return (
    <section className="chat panel" aria-labelledby="conversation-title">
      <header>
        <h2 id="conversation-title">{isChat ? "Conversation" : "Text"}</h2>
        <span className="end">{objective && <HeatLegend objective={objective} />}</span>
      </header>
      <div className="msgs" aria-live="polite" aria-busy={isWriting}>
        {nTemplate > 0 && (
          <button
            type="button"
            className="fold"
            aria-expanded={showsTemplate}
            onClick={() => { setShowsTemplate(!showsTemplate); }}
          >
            {showsTemplate ? "\u25be" : "\u25b8"} chat template, {nTemplate} tokens
          </button>
        )}
        {turnsOf(tokens, showsTemplate).map((turn) => (
          <TurnView
            key={turn.tokens[0]?.at}
            turn={turn}
            heat={isWriting ? null : heat}
            maximum={maxAbs(heat ?? [])}
            picked={picked}
            range={state.listing.tokens}
            acts={acts}
          >
            {turn.tokens.map(
              ({ at, token }) =>
                at === picked && (
                  <Alternatives
                    key={at}
                    token={token}
                    at={at}
                    onBranch={token.role === "reply" ? (id) => { talk.branch(at, id); } : null}
                  />
                ),
            )}
          </TurnView>
        ))}
        {!isAsked(state) && !isWriting && <Openings isChat={isChat} prompts={prompts} onPick={(text) => void talk.send(text)} />}
        {state.reply.length > 0 && !isWriting && <MadeOtherwise state={state} onAgain={talk.again} />}
        {concepts.length > 0 && isAsked(state) && (
          <CompareView request={shownRequest(state, concepts)} />
        )}
        {error && (
          <div className="pad">
            <ErrorNote error={error} />
          </div>
        )}
      </div>
      {shown && pointed && <TokenCard pointed={pointed} token={shown} />}
      <Composer isChat={isChat} prompt={state.prompt} isWriting={isWriting} onSend={talk.send} onStop={talk.stop}>
        <SamplingOptions sampling={state.sampling} onChange={(sampling) => { change({ sampling }, true); }} />
      </Composer>
    </section>
  );
}

/** A clicked token is told from the likeliest other one: a probability near 1 has no slope to speak of. */
export function explanationOf(at: number, token: TokenStatistics | undefined): Explained {
  const other = token?.top.find(({ id }) => id !== token.id);
  if (!other) return { ...NOTHING_EXPLAINED, position: at };
  return { position: at, of: "logit_diff", token: null, distractor: other.id };
}

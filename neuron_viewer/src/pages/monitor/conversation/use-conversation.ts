import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { monitorTokensQuery } from "@/api/monitor";
import type { GeneratedToken, MonitorExample, TokenStatistics } from "@/api/types";

import { conversationOf, generateRequest, isAsked } from "../conversation-request";
import { type Explained, NOTHING_EXPLAINED, type MonitorState } from "../monitor-state";
import { experimentState, explanationIn } from "../start/experiment-state";
import type { Monitor } from "../use-monitor";
import { useGeneration } from "./use-generation";

const N_ALTERNATIVES = 6;

export type ConversationNow = {
  /** Every token of the text, those that are being written too. */
  tokens: readonly TokenStatistics[];
  isWriting: boolean;
  error: Error | null;
  send: (text: string) => void;
  /** Go on from another token than the one at `at`. */
  branch: (at: number, id: number) => void;
  /** A ready experiment, from its question to its steered reply. */
  run: (experiment: MonitorExample) => void;
  stop: () => void;
};

/** What has been said, with the probability of each token, and how it goes on. */
export function useConversation({ state, change }: Monitor, isChat: boolean): ConversationNow {
  const generation = useGeneration();
  const query = useQuery({
    ...monitorTokensQuery({ ...conversationOf(state), n_top: N_ALTERNATIVES }),
    enabled: isAsked(state),
    placeholderData: keepPreviousData,
  });
  const read = isAsked(state) ? (query.data?.tokens ?? []) : [];
  const reply = isAsked(state) ? (query.data?.reply ?? "") : "";
  // A reply just written stays until its tokens have been read anew.
  const isAhead = generation.isWriting || (query.isPlaceholderData && generation.tokens.length > 0);
  const tokens = isAhead ? withWritten(read, generation.tokens) : read;

  function write(next: MonitorState, prefix: number[], explain?: (written: readonly GeneratedToken[]) => Explained) {
    generation.start(generateRequest(next, prefix), (written) => {
      const reply = [...prefix, ...written.map(({ id }) => id)];
      change(explain ? { reply, explained: explain(written) } : { reply }, true);
    });
  }
  return {
    tokens,
    isWriting: generation.isWriting,
    error: generation.error ?? query.error,
    stop: generation.stop,
    send: (text) => {
      const next = isChat ? withMessage(state, text, reply) : { ...state, prompt: text };
      const fresh = { ...next, reply: [], kept: 0, explained: NOTHING_EXPLAINED };
      change(fresh);
      write(fresh, []);
    },
    run: (experiment) => {
      const fresh = experimentState(experiment);
      change(fresh);
      write(fresh, [], (written) => explanationIn(experiment, written));
    },
    branch: (at, id) => {
      const start = read.length - state.reply.length;
      const prefix = [...state.reply.slice(0, at - start), id];
      change({ reply: prefix, kept: prefix.length, explained: NOTHING_EXPLAINED });
      write(state, prefix);
    },
  };
}

/** The tokens read up to where the reply that is being written begins, then its own. */
function withWritten(read: readonly TokenStatistics[], written: readonly GeneratedToken[]): TokenStatistics[] {
  const start = written[0]?.position ?? read.length;
  return [
    ...read.slice(0, start),
    ...written.map(({ id, text, logprob, rank, top }) => {
      return { id, text, logprob, rank, top, role: "reply" as const, message: null };
    }),
  ];
}

function withMessage(state: MonitorState, text: string, reply: string): MonitorState {
  const said = reply === "" ? [] : [{ role: "assistant" as const, content: reply }];
  return { ...state, messages: [...state.messages, ...said, { role: "user", content: text }] };
}

import { keepPreviousData, useQuery, useQueryClient } from "@tanstack/react-query";

import { monitorTokensQuery } from "@/api/monitor";
import type { GeneratedToken, MonitorExample, TokenStatistics } from "@/api/types";

import { conversationOf, generateRequest, isAsked, keptOf } from "../conversation-request";
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
  /** Rejects, with nothing sent, where the reply that it answers cannot be read. */
  send: (text: string) => Promise<void>;
  /** Go on from another token than the one at `at`. */
  branch: (at: number, id: number) => void;
  /** The reply once more, as it is to be written now. */
  again: () => void;
  /** A ready experiment, from its question to its steered reply. */
  run: (experiment: MonitorExample) => void;
  stop: () => void;
};

/** What has been said, with the probability of each token, and how it goes on. */
export function useConversation({ state, now, change }: Monitor, isChat: boolean): ConversationNow {
  const client = useQueryClient();
  const generation = useGeneration();
  const query = useQuery({
    ...tokensQuery(state),
    enabled: isAsked(state),
    placeholderData: keepPreviousData,
  });
  const read = isAsked(state) ? (query.data?.tokens ?? []) : [];
  // A reply just written stays until its tokens have been read anew.
  const isAhead = generation.isWriting || (query.isPlaceholderData && generation.tokens.length > 0);
  const tokens = isAhead ? withWritten(read, generation.tokens) : read;

  function write(next: MonitorState, prefix: number[], explain?: (written: readonly GeneratedToken[]) => Explained) {
    generation.start(generateRequest(next, prefix), (written) => {
      const reply = [...prefix, ...written.map(({ id }) => id)];
      const told = { reply, madeWith: next.sampling };
      change(explain ? { ...told, explained: explain(written) } : told, true);
    });
  }
  return {
    tokens,
    isWriting: generation.isWriting,
    error: generation.error ?? query.error,
    stop: generation.stop,
    send: async (text) => {
      const before = now();
      // Not what was read last: that may still be the text from before the reply.
      const reply = isChat && before.reply.length > 0 ? (await client.fetchQuery(tokensQuery(before))).reply : "";
      const next = isChat ? withMessage(before, text, reply) : { ...before, prompt: text };
      const fresh = { ...next, reply: [], kept: 0, explained: NOTHING_EXPLAINED, sweep: null };
      change(fresh);
      write(fresh, []);
    },
    run: (experiment) => {
      const fresh = experimentState(experiment);
      change(fresh);
      write(fresh, [], (written) => explanationIn(experiment, written));
    },
    again: () => {
      const next = now();
      change({ reply: keptOf(next), madeWith: next.sampling, explained: NOTHING_EXPLAINED, sweep: null });
      write(next, keptOf(next));
    },
    branch: (at, id) => {
      const said = tokens.slice(0, at).filter(({ role }) => role === "reply");
      const prefix = [...said.map((token) => token.id), id];
      const next = now();
      change({ reply: prefix, kept: prefix.length, madeWith: next.sampling, explained: NOTHING_EXPLAINED, sweep: null });
      write(next, prefix);
    },
  };
}

function tokensQuery(state: MonitorState) {
  return monitorTokensQuery({ ...conversationOf(state), n_top: N_ALTERNATIVES });
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

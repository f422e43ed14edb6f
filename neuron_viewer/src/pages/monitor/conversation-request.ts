/** The state as the server wants it. */
import type { ClustersRequest, ConceptSpec, Conversation, GenerateRequest, InfluenceRequest } from "@/api/types";

import type { MonitorState } from "./monitor-state";

const LISTED = 400;

/** The text and the reply so far; `concepts` are those in force. */
export function conversationOf(state: MonitorState, concepts: ConceptSpec[] = []): Conversation {
  return {
    prompt: state.prompt,
    messages: state.prompt === null ? state.messages : null,
    prefix_tokens: state.reply,
    interventions: [],
    concepts,
    dataset: null,
  };
}

/** Whether there is any text to read. */
export function isAsked({ prompt, messages }: MonitorState): boolean {
  return prompt === null ? messages.length > 0 : prompt !== "";
}

/** What the reply went on from when it was branched; nothing, where it was not. */
export function keptOf({ reply, kept }: MonitorState): number[] {
  return reply.slice(0, kept);
}

/** What the shown reply is written by, with these concepts in force. */
export function shownRequest(state: MonitorState, concepts: ConceptSpec[]): GenerateRequest {
  return generateRequest({ ...state, sampling: state.madeWith }, keptOf(state), concepts);
}

export function generateRequest(state: MonitorState, prefix: number[], concepts: ConceptSpec[] = []): GenerateRequest {
  const { temperature, top_p, seed, max_new_tokens } = state.sampling;
  return {
    ...conversationOf(state, concepts),
    prefix_tokens: prefix,
    temperature,
    top_p,
    top_k: null,
    seed,
    max_new_tokens,
    n_top: 5,
    stop: [],
    stream: true,
  };
}

/** What is asked of the clicked token; `chosen` is where it stands. */
export function explainedPart(state: MonitorState, position: number, nLayers: number) {
  const { of, token, distractor } = state.explained;
  const { listing } = state;
  return {
    ...conversationOf(state),
    position,
    of,
    token,
    distractor_token: of === "logit_diff" ? distractor : null,
    kinds: listing.kind === "all" ? null : [listing.kind],
    layers: within(listing.layers, nLayers - 1),
    side: listing.side === "both" ? null : listing.side,
    positions: within(listing.tokens, position - 1),
    read_out_norm: "live" as const,
  };
}

export function influenceRequest(state: MonitorState, position: number, nLayers: number): InfluenceRequest {
  return {
    ...explainedPart(state, position, nLayers),
    by: state.listing.by,
    top_k: LISTED,
    per: "node",
    measure: 0,
  };
}

/** The numbers of a range up to a last one; all, where none of the range is left. */
function within(range: readonly [number, number] | null, last: number): number[] | null {
  if (!range || range[0] > last) return null;
  return Array.from({ length: Math.min(range[1], last) - range[0] + 1 }, (_, index) => range[0] + index);
}

/** The same question, of the components' concepts. */
export function clustersRequest(state: MonitorState, position: number, nLayers: number): ClustersRequest {
  return {
    ...explainedPart(state, position, nLayers),
    by: state.listing.by,
    leading: LISTED,
    ...state.grouping,
    max_coherence: 3,
    max_clusters: 12,
    language_model: true,
    n_controls: 32,
    seed: 0,
  };
}

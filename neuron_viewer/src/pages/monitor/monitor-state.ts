/**
 * Everything on the Monitor page, written in the URL and read back.
 *
 * `p` the text to continue, or `u` `a` `s` messages in order; `r` the reply's token ids (base 36), of which the
 * first `kept` were chosen in branching; `temp` `top_p`
 * `seed` `max` how tokens are chosen; `made` how those of the reply were, where that is otherwise; `on` the token that is explained, `of` `tok` `vs` what of it; `by` `kinds`
 * `side` `in` (layers) `from` (tokens) `find` `score` what is listed; `cut` `least` how concepts are grouped; `c`
 * concepts that steer, `lost` what of them could not be read; `sw` the concept
 * that was swept, `swon` `swtok` the token that was watched. But for the prompt none of
 * these is a key of the Debugger's, since its question is carried from page to page. What is at its default is
 * left out; what else cannot be read is dropped: a link may come from a newer version.
 */
import type { ConceptSpec } from "@/api/types";

import { conceptToText, textToConcept } from "./concept-text";

export type Role = "system" | "user" | "assistant";
export type Message = { role: Role; content: string };
export type Sampling = { temperature: number; top_p: number; seed: number; max_new_tokens: number };
export type Of = "logprob" | "prob" | "logit" | "logit_diff";
export type Range = [number, number];

export type Listing = {
  by: "activation" | "attribution";
  kind: "all" | "attn" | "mlp" | "latent";
  side: "both" | "positive" | "negative";
  layers: Range | null;
  /** Tokens at which components write. */
  tokens: Range | null;
  text: string;
  /** Least score of an explanation; null lists those without one too. */
  minScore: number | null;
};

/** How components are grouped: the distance at which groups part, and the fewest members of one. */
export type Grouping = { cut: number; min_members: number };

/** A token as it is typed, or its id. */
export type TokenChoice = string | number;

export type Explained = {
  /** Index in the whole text; null while nothing is clicked. */
  position: number | null;
  of: Of;
  /** Another token than the one that stands there. */
  token: TokenChoice | null;
  distractor: TokenChoice | null;
};

/** What a sweep was asked of: its concept as it was then, and the token that is watched. */
export type Swept = { concept: ConceptSpec; position: number; token: TokenChoice | null };

export type MonitorState = {
  /** The text that is continued; null in a chat. */
  prompt: string | null;
  messages: Message[];
  /** Ids of the last reply, exactly as they were chosen. */
  reply: number[];
  /** How many of them, from the first, were kept or chosen when it was branched: the rest follows from them. */
  kept: number;
  /** How the next reply is written. */
  sampling: Sampling;
  /** How the reply that is shown was. */
  madeWith: Sampling;
  explained: Explained;
  listing: Listing;
  grouping: Grouping;
  concepts: ConceptSpec[];
  /** Concepts and members of concepts that could not be read, until they have been seen. */
  unread: string[];
  /** The sweep that is shown. */
  sweep: Swept | null;
};

export const DEFAULT_GROUPING: Grouping = { cut: 0.6, min_members: 3 };
export const DEFAULT_SAMPLING: Sampling = { temperature: 0, top_p: 1, seed: 0, max_new_tokens: 48 };
export const NOTHING_EXPLAINED: Explained = { position: null, of: "logprob", token: null, distractor: null };
export const DEFAULT_LISTING: Listing = {
  by: "attribution",
  kind: "all",
  side: "both",
  layers: null,
  tokens: null,
  text: "",
  minScore: null,
};

const ROLES: Record<string, Role> = { s: "system", u: "user", a: "assistant" };
const OFS: Of[] = ["logprob", "prob", "logit", "logit_diff"];

export function emptyState(isChat: boolean): MonitorState {
  return {
    prompt: isChat ? null : "",
    messages: [],
    reply: [],
    kept: 0,
    sampling: DEFAULT_SAMPLING,
    madeWith: DEFAULT_SAMPLING,
    explained: NOTHING_EXPLAINED,
    listing: DEFAULT_LISTING,
    grouping: DEFAULT_GROUPING,
    concepts: [],
    unread: [],
    sweep: null,
  };
}

export function readState(params: URLSearchParams, isChat: boolean): MonitorState {
  const read = params.getAll("c").map(textToConcept);
  const prompt = params.get("p");
  const messages = [...params].flatMap(([key, content]) => {
    const role = ROLES[key];
    return role ? [{ role, content }] : [];
  });
  const reply = readIds(params.get("r"));
  const sampling = readSampling(params);
  return {
    prompt: prompt ?? (messages.length > 0 || isChat ? null : ""),
    messages: prompt === null ? messages : [],
    reply,
    kept: Math.min(Math.trunc(readNumber(params, "kept", 0, 1e7) ?? 0), reply.length),
    sampling,
    madeWith: reply.length > 0 ? readMade(params.get("made"), sampling) : sampling,
    explained: readExplained(params),
    listing: readListing(params),
    grouping: {
      cut: readNumber(params, "cut", 0.01, 2) ?? DEFAULT_GROUPING.cut,
      min_members: Math.trunc(readNumber(params, "least", 1, 100) ?? DEFAULT_GROUPING.min_members),
    },
    concepts: read.flatMap(({ concept }) => concept ?? []),
    unread: [...new Set([...params.getAll("lost"), ...read.flatMap(({ unread }) => unread)])],
    sweep: readSweep(params),
  };
}

export function writeState(state: MonitorState): URLSearchParams {
  const params = new URLSearchParams();
  if (state.prompt !== null && state.prompt !== "") params.set("p", state.prompt);
  for (const { role, content } of state.messages) params.append(role.slice(0, 1), content);
  if (state.reply.length > 0) params.set("r", state.reply.map((id) => id.toString(36)).join("."));
  if (state.kept > 0) params.set("kept", String(state.kept));
  writeSampling(state.sampling, params);
  if (state.reply.length > 0 && differing(state).length > 0) params.set("made", madeText(state.madeWith));
  writeExplained(state.explained, params);
  writeListing(state.listing, params);
  if (state.grouping.cut !== DEFAULT_GROUPING.cut) params.set("cut", String(state.grouping.cut));
  if (state.grouping.min_members !== DEFAULT_GROUPING.min_members) params.set("least", String(state.grouping.min_members));
  for (const concept of state.concepts) params.append("c", conceptToText(concept));
  for (const text of state.unread) params.append("lost", text);
  if (state.sweep) writeSweep(state.sweep, params);
  return params;
}

function readSweep(params: URLSearchParams): Swept | null {
  const { concept } = textToConcept(params.get("sw") ?? "");
  const position = readIndex(params.get("swon"));
  return concept && position !== null ? { concept, position, token: readToken(params.get("swtok")) } : null;
}

function writeSweep({ concept, position, token }: Swept, params: URLSearchParams): void {
  params.set("sw", conceptToText(concept));
  params.set("swon", String(position));
  if (token !== null) params.set("swtok", tokenText(token));
}

function readIndex(text: string | null): number | null {
  return text !== null && /^\d{1,7}$/.test(text) ? Number(text) : null;
}

function readIds(text: string | null): number[] {
  if (!text || !/^[0-9a-z]{1,6}(\.[0-9a-z]{1,6})*$/.test(text)) return [];
  return text.split(".").map((id) => parseInt(id, 36));
}

function readSampling(params: URLSearchParams): Sampling {
  const number = (key: string, from: number, to: number, otherwise: number) =>
    readNumber(params, key, from, to) ?? otherwise;
  return {
    temperature: number("temp", 0, 100, DEFAULT_SAMPLING.temperature),
    top_p: number("top_p", 0.01, 1, DEFAULT_SAMPLING.top_p),
    seed: Math.trunc(number("seed", 0, Number.MAX_SAFE_INTEGER, DEFAULT_SAMPLING.seed)),
    max_new_tokens: Math.trunc(number("max", 1, 4096, DEFAULT_SAMPLING.max_new_tokens)),
  };
}

const SAMPLING_KEYS = ["temperature", "top_p", "seed", "max_new_tokens"] as const;

/** The settings that are otherwise now than when the reply was written. */
export function differing({ sampling, madeWith }: Pick<MonitorState, "sampling" | "madeWith">): (keyof Sampling)[] {
  return SAMPLING_KEYS.filter((key) => sampling[key] !== madeWith[key]);
}

/** Temperature, top-p, seed and length: `0.7~0.9~12~48`. */
function madeText(madeWith: Sampling): string {
  return SAMPLING_KEYS.map((key) => madeWith[key]).join("~");
}

function readMade(text: string | null, otherwise: Sampling): Sampling {
  const [temp = "", top_p = "", seed = "", max = "", ...rest] = text?.split("~") ?? [];
  const parts = new URLSearchParams({ temp, top_p, seed, max });
  const isWhole = rest.length === 0 && [...parts.values()].every((part) => part !== "");
  return isWhole ? readSampling(parts) : otherwise;
}

/** A number within bounds; null where there is none. */
function readNumber(params: URLSearchParams, key: string, from: number, to: number): number | null {
  const text = params.get(key);
  const value = text === null || text === "" ? NaN : Number(text);
  return value >= from && value <= to ? value : null;
}

function writeSampling(sampling: Sampling, params: URLSearchParams): void {
  const names = { temperature: "temp", top_p: "top_p", seed: "seed", max_new_tokens: "max" } as const;
  for (const key of Object.keys(names) as (keyof Sampling)[]) {
    if (sampling[key] !== DEFAULT_SAMPLING[key]) params.set(names[key], String(sampling[key]));
  }
}

function readExplained(params: URLSearchParams): Explained {
  return {
    position: readIndex(params.get("on")),
    of: OFS.find((of) => of === params.get("of")) ?? "logprob",
    token: readToken(params.get("tok")),
    distractor: readToken(params.get("vs")),
  };
}

function writeExplained({ position, of, token, distractor }: Explained, params: URLSearchParams): void {
  if (position !== null) params.set("on", String(position));
  if (of !== "logprob") params.set("of", of);
  if (token !== null) params.set("tok", tokenText(token));
  if (distractor !== null) params.set("vs", tokenText(distractor));
}

/** `=` and the text, or the id alone. */
function tokenText(token: TokenChoice): string {
  return typeof token === "number" ? String(token) : `=${token}`;
}

function readToken(text: string | null): TokenChoice | null {
  if (text === null) return null;
  if (text.startsWith("=")) return text.slice(1);
  return /^\d{1,9}$/.test(text) ? Number(text) : null;
}

function readListing(params: URLSearchParams): Listing {
  return {
    by: params.get("by") === "activation" ? "activation" : "attribution",
    kind: (["attn", "mlp", "latent"] as const).find((kind) => kind === params.get("kinds")) ?? "all",
    side: (["positive", "negative"] as const).find((side) => side === params.get("side")) ?? "both",
    layers: readRange(params.get("in")),
    tokens: readRange(params.get("from")),
    text: params.get("find") ?? "",
    minScore: readNumber(params, "score", -1, 1),
  };
}

function writeListing(listing: Listing, params: URLSearchParams): void {
  if (listing.by !== "attribution") params.set("by", listing.by);
  if (listing.kind !== "all") params.set("kinds", listing.kind);
  if (listing.side !== "both") params.set("side", listing.side);
  if (listing.layers) params.set("in", listing.layers.join("-"));
  if (listing.tokens) params.set("from", listing.tokens.join("-"));
  if (listing.text) params.set("find", listing.text);
  if (listing.minScore !== null) params.set("score", String(listing.minScore));
}

export function readRange(text: string | null): Range | null {
  const found = /^(\d{1,7})-(\d{1,7})$/.exec(text ?? "");
  if (!found) return null;
  const [first, last] = [Number(found[1]), Number(found[2])];
  return first <= last ? [first, last] : [last, first];
}

/** The listing for a token at this position: a range of which nothing comes before it is dropped. */
export function listingBefore(listing: Listing, position: number): Listing {
  return listing.tokens && listing.tokens[0] >= position ? { ...listing, tokens: null } : listing;
}

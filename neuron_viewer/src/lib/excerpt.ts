/** An excerpt of a dataset as it is drawn: on one line, aligned on the token it was picked for. */
import type { Exemplar } from "@/api/types";

import { visibleText } from "./format";

export interface Excerpt {
  tokens: readonly string[];
  /** The token that a line is aligned on; for a head, the one attended to. */
  peak: number;
  /** Heads: the token that attends; null for all else. */
  from: number | null;
  value: number;
  source: string;
  /** Value of each token; empty for a head. */
  values: readonly number[];
  /** Heads: a row for each query; empty for all else. */
  pattern: readonly (readonly number[])[];
}

export function excerptOf({ tokens, activations, peak, peak_key, value, source }: Exemplar): Excerpt {
  const both: (number | number[])[] = activations;
  const pattern = both.filter((row) => typeof row !== "number");
  const values = both.filter((one) => typeof one === "number");
  const isPair = pattern.length > 0;
  const key = isPair ? (peak_key ?? indexOfLargest(pattern[peak] ?? [])) : peak;
  return { tokens, value, source, values, pattern, peak: key, from: isPair ? peak : null };
}

function indexOfLargest(values: readonly number[]): number {
  return values.reduce((best, value, index) => (value > (values[best] ?? -Infinity) ? index : best), 0);
}

/** Which end of a head's pairs the ground of a token tells of: attending (from) or attended to. */
export type PairEnd = "from" | "to";

/**
 * What each token's ground shows. A head's is its strongest pair at that end; while a token is pointed at,
 * where that token attends.
 */
export function shadesOf(excerpt: Excerpt, end: PairEnd, pointed: number | null): readonly (number | null)[] {
  const { pattern, tokens } = excerpt;
  if (pattern.length === 0) return excerpt.values;
  if (pointed !== null) return tokens.map((_, key) => (key <= pointed ? (pattern[pointed]?.[key] ?? 0) : null));
  if (end === "from") return tokens.map((_, query) => Math.max(0, ...(pattern[query] ?? []).slice(0, query + 1)));
  return tokens.map((_, key) => pattern.reduce((most, row, query) => Math.max(most, query < key ? 0 : (row[key] ?? 0)), 0));
}

/** The value of the pointed token, or of the pair it forms with what it attends to most. */
export function valueAt(excerpt: Excerpt, token: number): { value: number; key: number | null } {
  const row = excerpt.pattern[token];
  if (!row) return { value: excerpt.values[token] ?? 0, key: null };
  const key = indexOfLargest(row.slice(0, token + 1));
  return { value: row[key] ?? 0, key };
}

/** Tokens of one line; `null` stands for tokens left out between the two ends of a pair that lie far apart. */
export interface Line {
  before: readonly number[];
  after: readonly (number | null)[];
}

const MARGIN = 6;

/** The tokens around the peak that fit in so many characters on either side. */
export function lineOf(excerpt: Excerpt, widest: number): Line {
  const { tokens, peak, from } = excerpt;
  const before = taken(tokens, peak - 1, -1, widest).reverse();
  const after = taken(tokens, peak, 1, widest);
  if (from === null || (after.at(-1) ?? 0) >= from + 1 || from <= peak) return { before, after };
  const near = taken(tokens, peak, 1, widest / 2);
  const first = Math.max((near.at(-1) ?? peak) + 1, from - MARGIN);
  const far = taken(tokens, first, 1, widest);
  return { before, after: first === (near.at(-1) ?? peak) + 1 ? [...near, ...far] : [...near, null, ...far] };
}

function taken(tokens: readonly string[], start: number, step: 1 | -1, widest: number): number[] {
  const found: number[] = [];
  let width = 0;
  for (let at = start; at >= 0 && at < tokens.length && width < widest; at += step) {
    found.push(at);
    width += visibleText(tokens[at] ?? "").length;
  }
  return found;
}

/** The excerpt as text, for a title, a copy, or a prompt. */
export function textOf({ tokens }: Pick<Excerpt, "tokens">): string {
  return tokens.join("");
}

export interface Strong {
  token: number;
  /** Heads: the token that it attends to. */
  key: number | null;
  value: number;
}

/** The tokens (of a head, the pairs) with the largest values, largest first. */
export function strongestOf({ values, pattern }: Pick<Excerpt, "values" | "pattern">, n: number): Strong[] {
  const all: Strong[] =
    pattern.length > 0
      ? pattern.flatMap((row, token) => row.slice(0, token + 1).map((value, key) => ({ token, key, value })))
      : values.map((value, token) => ({ token, key: null, value }));
  return all
    .filter(({ value }) => value !== 0)
    .sort((a, b) => Math.abs(b.value) - Math.abs(a.value))
    .slice(0, n);
}

/** `corpus:188` of `data/corpus.jsonl:188`: a place in a file, without its folder and ending. */
export function shortSource(source: string): string {
  const [, name = source, place = ""] = /([^/]*?)(?:\.[a-z]{2,8})*(:\d+)?$/i.exec(source) ?? [];
  return name + place;
}

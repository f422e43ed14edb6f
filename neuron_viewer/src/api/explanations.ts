/** What is said of components in words: labels, simulations, searches, and explanations of one's own. */
import { queryOptions } from "@tanstack/react-query";

import { errorOf } from "./errors";
import type { Explanation } from "./types";

const FOREVER = { staleTime: Infinity, gcTime: 10 * 60_000 };

/** True and simulated activations of one excerpt; simulated ones are calibrated, so both have one scale. */
export interface SimulatedExcerpt {
  tokens: string[];
  true: number[];
  simulated: number[];
  sample: string;
}

export interface SearchHit {
  component: string;
  side: Explanation["side"];
  explanation: Explanation | null;
  /** Similarity, BM25, logit or rank, by the mode. */
  value: number;
  token: string | null;
  position: number | null;
}

export interface SearchQuery {
  q: string;
  mode: "meaning" | "keyword" | "token" | "text";
  kind: string | null;
  layer: number | null;
  side: string | null;
  min_score: number | null;
  limit: number;
}

async function get<T>(path: string, query: Record<string, string | number | null>, signal: AbortSignal): Promise<T> {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== null) params.set(name, String(value));
  const response = await fetch(`${path}?${params.toString()}`, { signal });
  if (!response.ok) throw errorOf(response.status, await response.json().catch(() => null));
  return (await response.json()) as T;
}

export function searchQuery(query: SearchQuery) {
  return queryOptions({
    queryKey: ["search", query],
    queryFn: ({ signal }) => get<{ hits: SearchHit[] }>("/api/search", { ...query }, signal),
    ...FOREVER,
  });
}

/** What is said of components in words: searches, labels, simulations, coverage, and explanations of one's own. */
import { queryOptions, skipToken } from "@tanstack/react-query";

import type { components } from "./client/schema";
import { errorOf } from "./errors";
import { client, unwrap } from "./fetch";

type Schemas = components["schemas"];

export type SearchHit = Schemas["SearchHit"];
export type SearchMode = Schemas["SearchResponse"]["mode"];
export type SimulatedExcerpt = Schemas["SimulatedExcerptRecord"];
export type SimulationResponse = Schemas["SimulationResponse"];
export type OwnExplanationRequest = Schemas["OwnExplanationRequest"];
export type OwnExplanationResponse = Schemas["OwnExplanationResponse"];
export type LabelsResponse = Schemas["LabelsResponse"];
export type CoverageResponse = Schemas["CoverageResponse"];
export type LayerCoverage = Schemas["LayerCoverage"];

const FOREVER = { staleTime: Infinity, gcTime: 10 * 60_000 };

export interface SearchQuery {
  q: string;
  mode: SearchMode;
  kind: "attn" | "mlp" | "latent" | null;
  layer: number | null;
  side: "positive" | "negative" | null;
  min_score: number | null;
  min_density: number | null;
  max_density: number | null;
  /** Only of a search by text; null for the first. */
  dataset: string | null;
  limit: number;
}

export function searchQuery(query: SearchQuery) {
  return queryOptions({
    queryKey: ["search", query],
    queryFn: ({ signal }) => unwrap(client.GET("/api/search", { params: { query }, signal })),
    ...FOREVER,
  });
}

/** The best explanation of each side of many components, in one call; of latents, those of the coders named. */
export function labelsQuery(components: string[], coders: string[]) {
  return queryOptions({
    queryKey: ["labels", components, coders],
    queryFn: ({ signal }) => unwrap(client.POST("/api/components/labels", { body: { components, coders }, signal })),
    ...FOREVER,
  });
}

/** What an explanation predicts beside what is true; `coder`: the set whose latent is meant, null for the first of its stream. */
export function simulationQuery(component: string, explanation: string, coder: string | null) {
  return queryOptions({
    queryKey: ["simulation", component, explanation, coder],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/components/{component}/simulation", {
          params: { path: { component }, query: { explanation, coder } },
          signal,
        }),
      ),
    ...FOREVER,
  });
}

export function coverageQuery() {
  return queryOptions({
    queryKey: ["coverage"],
    queryFn: ({ signal }) => unwrap(client.GET("/api/explanations/coverage", { signal })),
  });
}

/** Forget a sentence of one's own. */
export async function deleteExplanation(component: string, explanation: string, coder: string | null): Promise<void> {
  const { error, response } = await client.DELETE("/api/components/{component}/explanations/{explanation}", {
    params: { path: { component, explanation }, query: { coder } },
  });
  if (!response.ok) throw errorOf(response.status, error);
}

/** Keep a sentence of one's own and score it at once. */
export function writeExplanation(
  component: string,
  body: OwnExplanationRequest,
  coder: string | null,
): Promise<OwnExplanationResponse> {
  return unwrap(
    client.POST("/api/components/{component}/explanations", {
      params: { path: { component }, query: { coder } },
      body,
    }),
  );
}

export type EstimateRequest = Schemas["EstimateRequest"];
export type EstimateResponse = Schemas["EstimateResponse"];

/** What explaining with a language model would take, and whether the server has one to ask; null asks nothing. */
export function estimateQuery(body: EstimateRequest | null) {
  return queryOptions({
    queryKey: ["explain_estimate", body],
    queryFn: body === null ? skipToken : ({ signal }) => unwrap(client.POST("/api/explanations/estimate", { body, signal })),
    retry: false,
    staleTime: 60_000,
  });
}

/** Have the server serve what a finished explain job made. */
export function showStore(job: string): Promise<Schemas["ShowStoreResponse"]> {
  return unwrap(client.POST("/api/explanations/stores", { body: { job } }));
}

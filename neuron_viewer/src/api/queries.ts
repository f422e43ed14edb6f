/** Every call to the server, as TanStack Query options. Keys start with the route's name. */
import { queryOptions } from "@tanstack/react-query";

import { ApiError, errorOf } from "./errors";
import { postEvents } from "./events";
import { client, unwrap } from "./fetch";
import type {
  DebugRequest,
  LatentPairsRequest,
  LensRequest,
  MeasuredEffect,
  MeasureRequest,
  MeasureResponse,
  NodeTokensRequest,
  SimilarResponse,
} from "./types";

const JUST_NOW = 5_000;
const FOREVER = { staleTime: Infinity, gcTime: 10 * 60_000 };

export function healthQuery() {
  return queryOptions({
    queryKey: ["health"],
    queryFn: ({ signal }) => unwrap(client.GET("/api/health", { signal })),
    refetchInterval: (query) => (query.state.status === "error" ? 2_000 : 10_000),
    retry: false,
  });
}

export function modelQuery() {
  return queryOptions({
    queryKey: ["model"],
    queryFn: ({ signal }) => unwrap(client.GET("/api/model", { signal })),
    ...FOREVER,
    refetchInterval: (query) => (query.state.status === "error" ? 2_000 : false),
  });
}

export function tokenizeQuery(text: string) {
  return queryOptions({
    queryKey: ["tokenize", text],
    queryFn: ({ signal }) => unwrap(client.POST("/api/tokenize", { body: { text }, signal })),
    ...FOREVER,
  });
}

/** The request comes back with its answer, since an answer may stay on screen while the next one is asked. */
export function debugQuery(request: DebugRequest) {
  return queryOptions({
    queryKey: ["debug", request],
    queryFn: async ({ signal }) => ({
      request,
      response: await unwrap(client.POST("/api/debug", { body: request, signal })),
    }),
    ...FOREVER,
  });
}

export function measureQuery(request: MeasureRequest) {
  return queryOptions({
    queryKey: ["measure", request],
    queryFn: async ({ signal }): Promise<MeasureResponse> => {
      const answer = await unwrap(client.POST("/api/measure", { body: request, signal }));
      // Only a request that accepts an event stream gets one.
      if (typeof answer === "string") throw errorOf(500, null);
      return answer;
    },
    ...FOREVER,
  });
}

export function nodeTokensQuery(request: NodeTokensRequest) {
  return queryOptions({
    queryKey: ["node_tokens", request],
    queryFn: ({ signal }) => unwrap(client.POST("/api/node_tokens", { body: request, signal })),
    ...FOREVER,
  });
}

export function latentPairsQuery(request: LatentPairsRequest) {
  return queryOptions({
    queryKey: ["latent_pairs", request],
    queryFn: ({ signal }) => unwrap(client.POST("/api/latent_pairs", { body: request, signal })),
    ...FOREVER,
  });
}

export function lensQuery(request: LensRequest) {
  return queryOptions({
    queryKey: ["lens", request],
    queryFn: ({ signal }) => unwrap(client.POST("/api/lens", { body: request, signal })),
    ...FOREVER,
  });
}

/** `coder`: the set whose latent is meant; null for the first of its stream. */
export function activationsQuery(component: string, prompts: string[], coder: string | null = null) {
  return queryOptions({
    queryKey: ["activations", component, prompts, coder],
    queryFn: ({ signal }) =>
      unwrap(
        client.POST("/api/components/{component}/activations", {
          params: { path: { component }, query: { coder } },
          body: { prompts },
          signal,
        }),
      ),
    ...FOREVER,
  });
}

export function componentTokensQuery(component: string, coder: string | null) {
  return queryOptions({
    queryKey: ["component_tokens", component, coder],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/components/{component}/tokens", {
          params: { path: { component }, query: { coder } },
          signal,
        }),
      ),
    ...FOREVER,
  });
}

/** Without a dataset's name: the record in the first dataset that knows the component. */
export function componentRecordQuery(component: string, dataset: string | null, coder: string | null) {
  return queryOptions({
    queryKey: ["record", component, dataset, coder],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/components/{component}", {
          params: { path: { component }, query: { dataset, coder } },
          signal,
        }),
      ),
    ...FOREVER,
    // It is asked for before the page is drawn: that there is none is not asked a second time right after.
    retryOnMount: ({ state: { error, errorUpdatedAt } }) =>
      !(error instanceof ApiError && error.status === 404) || Date.now() - errorUpdatedAt > JUST_NOW,
  });
}

/** By what components are alike: what they write, what they read, or when they fire. */
export type SimilarBy = SimilarResponse["by"];

export function similarQuery(component: string, by: SimilarBy, limit: number, coder: string | null) {
  return queryOptions({
    queryKey: ["similar", component, by, limit, coder],
    queryFn: ({ signal }) =>
      unwrap(
        client.GET("/api/components/{component}/similar", {
          params: { path: { component }, query: { by, limit, coder } },
          signal,
        }),
      ),
    ...FOREVER,
  });
}

export function ablationEffectQuery(component: string, prompt: string, coder: string | null) {
  return queryOptions({
    queryKey: ["ablation_effect", component, prompt, coder],
    queryFn: ({ signal }) =>
      unwrap(
        client.POST("/api/components/{component}/ablation_effect", {
          params: { path: { component }, query: { coder } },
          body: { prompt },
          signal,
        }),
      ),
    ...FOREVER,
  });
}

export function selfCheckQuery() {
  return queryOptions({
    queryKey: ["self_check"],
    queryFn: ({ signal }) => unwrap(client.GET("/api/self_check", { signal })),
    ...FOREVER,
  });
}

/** Measured effects as the server computes them; ends when all are in, or when `signal` aborts. */
export async function* streamMeasure(
  request: MeasureRequest,
  signal: AbortSignal,
): AsyncGenerator<MeasuredEffect> {
  for await (const { data } of postEvents("/api/measure", request, signal)) {
    if (isMeasuredEffect(data)) yield data;
  }
}

function isMeasuredEffect(data: unknown): data is MeasuredEffect {
  return typeof data === "object" && data !== null && "node" in data && "measured_effect" in data;
}

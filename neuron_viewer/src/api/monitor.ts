/** The Monitor's calls: generation, token statistics, influence, concepts, steering. */
import { queryOptions } from "@tanstack/react-query";

import { postEvents } from "./events";
import { client, unwrap } from "./fetch";
import type {
  ClustersRequest,
  ClustersResponse,
  CompareRequest,
  CompareResponse,
  GeneratedToken,
  GenerateRequest,
  InfluenceRequest,
  MonitorTokensRequest,
  SteerPreviewRequest,
  SweepCell,
  SweepRequest,
  SweepResponse,
} from "./types";

const FOREVER = { staleTime: Infinity, gcTime: 10 * 60_000, retry: false };

export function monitorTokensQuery(request: MonitorTokensRequest) {
  return queryOptions({
    queryKey: ["monitor_tokens", request],
    queryFn: ({ signal }) => unwrap(client.POST("/api/monitor/tokens", { body: request, signal })),
    ...FOREVER,
  });
}

export function influenceQuery(request: InfluenceRequest) {
  return queryOptions({
    queryKey: ["influence", request],
    queryFn: ({ signal }) => unwrap(client.POST("/api/monitor/influence", { body: request, signal })),
    ...FOREVER,
  });
}

export function steerPreviewQuery(request: SteerPreviewRequest) {
  return queryOptions({
    queryKey: ["steer_preview", request],
    queryFn: ({ signal }) => unwrap(client.POST("/api/monitor/steer_preview", { body: request, signal })),
    ...FOREVER,
  });
}

export function compareQuery(request: CompareRequest) {
  return queryOptions({
    queryKey: ["compare", request],
    queryFn: async ({ signal }) => {
      let answer = null as CompareResponse | null;
      for await (const { event, data } of postEvents("/api/monitor/compare", request, signal)) {
        if (event === "done") answer = data as CompareResponse;
      }
      return answer;
    },
    ...FOREVER,
  });
}

/** The reply's tokens as the model chooses them. */
export async function* streamGenerate(
  request: GenerateRequest,
  signal: AbortSignal,
): AsyncGenerator<GeneratedToken> {
  for await (const { event, data } of postEvents("/api/generate", request, signal)) {
    if (event === "token") yield data as GeneratedToken;
  }
}

/** Concepts unmeasured at first, then each with its measured effect. */
export async function* streamClusters(
  request: ClustersRequest,
  signal: AbortSignal,
): AsyncGenerator<ClustersResponse> {
  let known = null as ClustersResponse | null;
  for await (const { event, data } of postEvents("/api/monitor/clusters", request, signal)) {
    if (event === "cluster" && known) {
      const measured = data as ClustersResponse["clusters"][number];
      known = { ...known, clusters: known.clusters.map((old) => (old.id === measured.id ? measured : old)) };
    } else {
      known = data as ClustersResponse;
    }
    yield known;
  }
}

export type SweepSoFar = Omit<SweepResponse, "cells" | "best"> & { cells: SweepCell[]; best: number | null };

/** The map of strength by number of components, cell by cell. */
export async function* streamSweep(request: SweepRequest, signal: AbortSignal): AsyncGenerator<SweepSoFar> {
  let known = null as SweepSoFar | null;
  for await (const { event, data } of postEvents("/api/monitor/sweep", request, signal)) {
    if (event === "cell" && known) known = { ...known, cells: [...known.cells, data as SweepCell] };
    else known = { cells: [], best: null, ...(data as Partial<SweepSoFar>) } as SweepSoFar;
    yield known;
  }
}

/** Long work beside the model, and what it has made: jobs, datasets, coder sets. */
import { keepPreviousData, queryOptions } from "@tanstack/react-query";

import { readEvents } from "@/lib/sse";

import type { components } from "./client/schema";
import { errorOf, LOST_SERVER } from "./errors";
import { client, unwrap } from "./fetch";

type Schemas = components["schemas"];

export type JobInfo = Schemas["JobInfo"];
export type JobList = Schemas["JobList"];
export type JobKind = JobInfo["kind"];
export type JobState = JobInfo["state"];
export type JobRequest =
  | Schemas["CollateJob"]
  | Schemas["TrainSaeJob"]
  | Schemas["EvalSaeJob"]
  | Schemas["ExplainJob"];

/** How components are explained where no language model is asked. */
export const WITHOUT_A_MODEL: Pick<Schemas["ExplainOptions"], "methods" | "simulator" | "candidates"> = {
  methods: ["lookup", "trigger_graph"],
  simulator: "json",
  candidates: 1,
};

export type StoredDataset = Schemas["StoredDataset"];
export type DatasetsResponse = Schemas["DatasetsResponse"];
export type CoderSetInfo = Schemas["CoderSetInfo"];
export type CodersResponse = Schemas["CodersResponse"];
export type CoderCard = Schemas["CoderCard"];
export type CoderJudgement = Schemas["CoderJudgement"];
export type Damaged = Schemas["Damaged"];
export type UnreadableFile = Schemas["UnreadableFile"];

/** How far a job was at a moment, as its log tells. */
export type ProgressPoint = { done: number; total: number | null; metrics: Record<string, number | null> };

const BUSY_INTERVAL = 1000;
const IDLE_INTERVAL = 5000;

export function isActive({ state }: Pick<JobInfo, "state">): boolean {
  return state === "queued" || state === "running";
}

/** Asked again every second while something waits or runs, and now and then otherwise: a script may start jobs too. */
export function jobsQuery() {
  return queryOptions({
    queryKey: ["jobs"],
    queryFn: ({ signal }) => unwrap(client.GET("/api/jobs", { signal })),
    refetchInterval: (query) => (query.state.data?.jobs.some(isActive) ? BUSY_INTERVAL : IDLE_INTERVAL),
  });
}

/** `version` changes whenever the shelf may have. */
export function datasetsQuery(version = 0) {
  return queryOptions({
    queryKey: ["datasets", version],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => unwrap(client.GET("/api/datasets", { signal })),
  });
}

export function codersQuery(version = 0) {
  return queryOptions({
    queryKey: ["coders", version],
    placeholderData: keepPreviousData,
    queryFn: ({ signal }) => unwrap(client.GET("/api/coders", { signal })),
  });
}

export function coderSetQuery(name: string) {
  return queryOptions({
    queryKey: ["coder_set", name],
    queryFn: ({ signal }) => unwrap(client.GET("/api/coders/{name}", { params: { path: { name } }, signal })),
  });
}

export function startJob(body: JobRequest): Promise<JobInfo> {
  return unwrap(client.POST("/api/jobs", { body }));
}

export function cancelJob(job: string): Promise<JobInfo> {
  return unwrap(client.POST("/api/jobs/{job}/cancel", { params: { path: { job } } }));
}

export function resumeJob(job: string): Promise<JobInfo> {
  return unwrap(client.POST("/api/jobs/{job}/resume", { params: { path: { job } } }));
}

export async function deleteJob(job: string): Promise<void> {
  const { error, response } = await client.DELETE("/api/jobs/{job}", { params: { path: { job } } });
  if (!response.ok) throw errorOf(response.status, error);
}

/** All that a job told so far, again and again as it tells more; ends with the job. */
export async function* followJob(job: string, signal: AbortSignal): AsyncGenerator<ProgressPoint[]> {
  const response = await fetch(`/api/jobs/${encodeURIComponent(job)}/events`, { signal }).catch((cause: unknown) => {
    throw signal.aborted ? cause : LOST_SERVER;
  });
  if (!response.ok || !response.body) {
    throw errorOf(response.status, await response.json().catch(() => null));
  }
  let told: ProgressPoint[] = [];
  let shown = 0;
  for await (const { event, data } of readEvents(response.body)) {
    if (event === "progress") told = [...told, JSON.parse(data) as ProgressPoint];
    // A log is thousands of lines: draw it in a few steps while it is read, then line by line.
    const now = performance.now();
    if (event === "end" || now - shown > 250) {
      shown = now;
      yield told;
    }
  }
  yield told;
}

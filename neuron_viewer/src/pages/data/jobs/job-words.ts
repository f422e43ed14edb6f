/** What is said of a job. */
import type { JobInfo, JobKind, JobState } from "@/api/jobs";
import { formatCount } from "@/lib/format";
import { formatDuration, formatRate } from "@/lib/format-size";

export const KIND_NAMES: Record<JobKind, string> = {
  collate: "Collate",
  train_sae: "Train coders",
  eval_sae: "Judge coders",
  explain: "Explain",
};

export const STATE_NAMES: Record<JobState, string> = {
  queued: "waiting",
  running: "running",
  done: "done",
  failed: "failed",
  cancelled: "cancelled",
  stopped: "stopped",
};

/** The name of what the job makes or works on. */
export function subjectOf({ options }: Pick<JobInfo, "options">): string {
  const { name, coder, dataset } = options;
  return String(name ?? coder ?? dataset ?? "");
}

/** `12,400 of 50,000 tokens`; empty before the job has told anything. */
export function amountOf({ progress }: Pick<JobInfo, "progress">): string {
  if (!progress) return "";
  const { done, total, unit } = progress;
  return `${formatCount(done)}${total === null ? "" : ` of ${formatCount(total)}`} ${unit}`;
}

/** Where a job stands, in pieces: what it does, how much, how fast, how long still. */
export function standingOf(job: JobInfo): string[] {
  const { progress, state, queue_ahead: ahead } = job;
  if (state === "queued") return [ahead ? `${ahead} before it` : "starts next", amountOf(job)].filter(Boolean);
  if (!progress) return state === "running" ? ["starting"] : [];
  const pieces = [amountOf(job)];
  if (state === "running") {
    if (progress.message) pieces.unshift(progress.message);
    if (progress.rate) pieces.push(`${formatRate(progress.rate)}/s`);
    if (progress.seconds_left !== null && progress.seconds_left > 0) {
      pieces.push(`${formatDuration(progress.seconds_left)} left`);
    }
  }
  return pieces;
}

/** Share that is done, 0 to 1; null while the whole is not known. */
export function shareOf({ progress }: Pick<JobInfo, "progress">): number | null {
  if (!progress || progress.total === null || progress.total <= 0) return null;
  return Math.min(1, progress.done / progress.total);
}

/** Seconds it took, as far as it went. */
export function tookOf({ started, ended }: Pick<JobInfo, "started" | "ended">): number | null {
  return started === null || ended === null ? null : ended - started;
}

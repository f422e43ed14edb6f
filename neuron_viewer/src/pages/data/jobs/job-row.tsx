import { type MouseEvent, useRef } from "react";

import { isActive, type JobInfo } from "@/api/jobs";
import { ErrorNote } from "@/components/error-note";
import { formatDate, formatDuration } from "@/lib/format-size";

import { ForgetButton } from "./forget-button";
import { JobDetail } from "./job-detail";
import { KIND_NAMES, shareOf, standingOf, STATE_NAMES, subjectOf, tookOf } from "./job-words";
import { MadeDataset } from "./made-dataset";
import { ProgressBar } from "./progress-bar";
import { useJobActions } from "./use-job-actions";

type JobRowProps = {
  job: JobInfo;
  isOpen: boolean;
  onToggle: () => void;
};

/** One job: what it does, where it stands, and what can be done about it. */
export function JobRow({ job, isOpen, onToggle }: JobRowProps) {
  const { mutate, isPending, error } = useJobActions(job.id);
  const head = useRef<HTMLButtonElement>(null);
  const name = `${KIND_NAMES[job.kind]} ${subjectOf(job)}`;
  const active = isActive(job);
  const took = tookOf(job);
  const act = (action: Parameters<typeof mutate>[0], text: string) => (
    <button
      type="button"
      className="btn small"
      disabled={isPending}
      aria-label={`${text} ${name}`}
      onClick={(event) => {
        if (isByKeyboard(event)) head.current?.focus(); // the button goes away with what it did
        mutate(action);
      }}
    >
      {text}
    </button>
  );
  return (
    <li className={active ? "job active" : "job"} aria-label={`${name}, ${STATE_NAMES[job.state]}`}>
      <div className="jhead">
        <button ref={head} type="button" className="jname" aria-expanded={isOpen} onClick={onToggle}>
          <i className={isOpen ? "caret open" : "caret"} />
          <b>{KIND_NAMES[job.kind]}</b> <span className="mono">{subjectOf(job)}</span>
        </button>
        <span className={`jstate s-${job.state}`}>{STATE_NAMES[job.state]}</span>
        <span className="note jwhen">
          {active ? standingOf(job).join(" \u00b7 ") : [formatDate(new Date(job.created * 1000)), took !== null && `took ${formatDuration(took)}`].filter(Boolean).join(" \u00b7 ")}
        </span>
        <span className="jacts">
          {active && act("cancel", "Cancel")}
          {job.is_resumable && act("resume", "Resume")}
          {!active && (
            <ForgetButton
              name={name}
              isBusy={isPending}
              onForget={(event) => {
                if (isByKeyboard(event)) rowBeside(event.currentTarget)?.focus();
                mutate("delete");
              }}
            />
          )}
        </span>
      </div>
      {(active || (job.is_resumable && job.progress)) && (
        <div className="jprog">
          <ProgressBar share={shareOf(job)} label={`Progress of ${name}`} isRunning={job.state === "running"} />
          {!active && <span className="note">{standingOf(job).join(" \u00b7 ")}</span>}
        </div>
      )}
      {job.error && (
        <div className="err jerr">
          <p>{job.error.message}</p>
          {job.error.hint && <p className="mid">{job.error.hint}</p>}
        </div>
      )}
      <MadeDataset job={job} />
      {error && <ErrorNote error={error} />}
      {isOpen && <JobDetail job={job} />}
    </li>
  );
}

/** Enter and Space press a button without a click of the mouse. */
function isByKeyboard({ detail }: MouseEvent): boolean {
  return detail === 0;
}

/** Where the keyboard goes on when this row is gone: the name of the next job, else of the one before. */
function rowBeside(button: Element): HTMLElement | null {
  const row = button.closest("li");
  return (row?.nextElementSibling ?? row?.previousElementSibling)?.querySelector<HTMLElement>(".jname") ?? null;
}

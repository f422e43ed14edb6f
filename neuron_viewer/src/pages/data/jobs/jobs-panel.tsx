import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { isActive, type JobList, jobsQuery } from "@/api/jobs";
import { Async } from "@/components/async";

import { JobRow } from "./job-row";

const SHOWN = 5;

type JobsPanelProps = {
  /** The job whose details are shown. */
  open: string | null;
  onOpen: (job: string | null) => void;
};

/** Jobs that run or wait, in their order, then those that are over, the newest first. */
export function JobsPanel({ open, onOpen }: JobsPanelProps) {
  const query = useQuery(jobsQuery());
  const jobs = query.data?.jobs ?? [];
  const running = jobs.filter(({ state }) => state === "running").length;
  const waiting = jobs.filter(({ state }) => state === "queued").length;
  return (
    <section className="panel jobs" aria-labelledby="jobs-title">
      <header>
        <h2 id="jobs-title">Jobs</h2>
        <span className="note" role="status">
          {running} running{waiting > 0 && `, ${waiting} waiting`}
        </span>
      </header>
      <Async
        query={query}
        isEmpty={(list) => list.jobs.length === 0}
        empty={
          query.data?.data_dir === null
            ? "This server runs no jobs."
            : "No jobs yet. A collation shows what every component responds to."
        }
      >
        {(list) => <Rows list={list} open={open} onOpen={onOpen} />}
      </Async>
    </section>
  );
}

function Rows({ list, open, onOpen }: JobsPanelProps & { list: JobList }) {
  const [showAll, setShowAll] = useState(false);
  const active = list.jobs.filter(isActive).reverse();
  const over = list.jobs.filter((job) => !isActive(job));
  const shown = showAll ? over : over.filter((job, index) => index < SHOWN || job.id === open);
  return (
    <>
      <ol className="joblist">
        {[...active, ...shown].map((job) => (
          <JobRow
            key={job.id}
            job={job}
            isOpen={job.id === open}
            onToggle={() => { onOpen(job.id === open ? null : job.id); }}
          />
        ))}
      </ol>
      {shown.length < over.length && (
        <p className="pad">
          <button type="button" className="btn small" onClick={() => { setShowAll(true); }}>
            Show all {over.length} that are over
          </button>
        </p>
      )}
    </>
  );
}

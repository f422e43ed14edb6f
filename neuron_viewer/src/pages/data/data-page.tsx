import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";
import { useSearchParams } from "react-router";

import { jobsQuery } from "@/api/jobs";

import { CodersPanel } from "./coders-panel";
import { DatasetsPanel } from "./datasets-panel";
import { JobsPanel } from "./jobs/jobs-panel";
import { FORM_KINDS, type FormKind } from "./new-job/job-form";
import { NewJobPanel } from "./new-job/new-job-panel";
import "./data.css";

/** What there is to look things up in, how it was made, and the work that makes more of it. */
export function DataPage() {
  const [params, setParams] = useSearchParams();
  const { data } = useQuery(jobsQuery());
  // The shelf is read anew whenever a job has ended.
  const version = data?.jobs.filter(({ ended }) => ended !== null).length ?? 0;
  const queries = useQueryClient();
  useEffect(() => {
    void queries.invalidateQueries({ queryKey: ["health"] }); // which tells whether something new is served
  }, [queries, version]);
  const kind = FORM_KINDS.find((one) => one === params.get("new")) ?? "collate";

  function set(name: "job" | "new", value: string | null) {
    setParams(
      (old) => {
        const next = new URLSearchParams(old);
        if (value === null) next.delete(name);
        else next.set(name, value);
        return next;
      },
      { replace: true },
    );
  }

  return (
    <main className="dbg data-page" id="page">
      <h1 className="sr">Data and jobs</h1>
      <div className="dwork">
        <div className="dleft">
          <JobsPanel open={params.get("job")} onOpen={(job) => { set("job", job); }} />
          <DatasetsPanel version={version} />
          <CodersPanel version={version} />
        </div>
        <NewJobPanel
          kind={kind}
          onKind={(next: FormKind) => { set("new", next); }}
          onStarted={({ id }) => { set("job", id); }}
        />
      </div>
    </main>
  );
}

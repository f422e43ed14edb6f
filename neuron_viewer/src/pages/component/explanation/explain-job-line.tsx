import { useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";

import { showStore } from "@/api/explanations";
import { isActive, jobsQuery } from "@/api/jobs";
import { ErrorNote } from "@/components/error-note";

export interface ExplainJobLineProps {
  id: string;
  component: string;
}

/** Where an explain job stands; what it made is shown as soon as it is done. */
export function ExplainJobLine({ id, component }: ExplainJobLineProps) {
  const { data } = useQuery(jobsQuery());
  const job = data?.jobs.find((one) => one.id === id);
  if (!job || isActive(job)) {
    const { message } = job?.progress ?? {};
    return <p role="status">{job?.state === "running" ? message || "Explaining" : "Waiting to start"}</p>;
  }
  if (job.state !== "done") {
    return (
      <p role="status">
        The job {job.state}. {job.error?.message} <Link className="link" to="/data">See it</Link>
      </p>
    );
  }
  return <Shown id={id} component={component} made={job.result ?? {}} />;
}

interface ShownProps extends ExplainJobLineProps {
  made: Record<string, unknown>;
}

function Shown({ id, component, made }: ShownProps) {
  const client = useQueryClient();
  const { error, isSuccess } = useQuery({
    queryKey: ["shown_store", id],
    queryFn: async () => {
      const shown = await showStore(id);
      for (const queryKey of [["record", component], ["labels"], ["coverage"], ["search"]]) {
        await client.invalidateQueries({ queryKey });
      }
      return shown;
    },
    retry: false,
    staleTime: Infinity,
  });
  if (error) return <ErrorNote error={error} />;
  if (!isSuccess) return <p role="status">Done; reading what it made</p>;
  return <p role="status">{outcome(made)}</p>;
}

/** What a job made, in words; failures are told, never left out. */
export function outcome({ n_explanations, n_failures, first_failures, stopped }: Record<string, unknown>): string {
  const made = Number(n_explanations ?? 0);
  const failed = Number(n_failures ?? 0);
  return [
    `Done: ${made} ${made === 1 ? "explanation" : "explanations"}, shown here.`,
    failed > 0 ? `${failed} ${failed === 1 ? "step" : "steps"} failed: ${String(first_failures)}.` : "",
    typeof stopped === "string" ? stopped : "",
  ]
    .filter(Boolean)
    .join(" ");
}

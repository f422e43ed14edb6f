import * as Popover from "@radix-ui/react-popover";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { Link } from "react-router";

import { isActive, jobsQuery, startJob, WITHOUT_A_MODEL, type JobInfo } from "@/api/jobs";
import { CopyButton } from "@/components/copy-button";
import { ErrorNote } from "@/components/error-note";

export interface ExplainButtonProps {
  component: string;
  dataset: string;
}

/** Asks for an explanation of this one component: says what that takes, and starts it only when told to. */
export function ExplainButton({ component, dataset }: ExplainButtonProps) {
  return (
    <Popover.Root>
      <Popover.Trigger className="btn small">Explain</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="pop stat define" sideOffset={6} collisionPadding={8} align="end">
          <ExplainOffer component={component} dataset={dataset} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function ExplainOffer({ component, dataset }: ExplainButtonProps) {
  const client = useQueryClient();
  const start = useMutation({
    mutationFn: () =>
      startJob({
        kind: "explain",
        options: {
          ...WITHOUT_A_MODEL,
          dataset,
          name: `${component}-${Date.now().toString(36)}`,
          components: [component],
        },
      }),
    onSuccess: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
  return (
    <>
      <p>
        <b>Explain {component}</b>
      </p>
      <p className="mid">
        Token lookup and a trigger graph, made by running the served model on its exemplars. No language model is asked,
        so it costs nothing; it takes seconds.
      </p>
      {start.data ? (
        <JobLine job={start.data} />
      ) : (
        <p>
          <button
            type="button"
            className="btn small primary"
            disabled={start.isPending}
            onClick={() => {
              start.mutate();
            }}
          >
            Start
          </button>
        </p>
      )}
      {start.error && <ErrorNote error={start.error} />}
    </>
  );
}

/** Where the job stands, and what to do with what it made. */
function JobLine({ job: { id } }: { job: JobInfo }) {
  const { data } = useQuery(jobsQuery());
  const job = data?.jobs.find((one) => one.id === id);
  if (!job || isActive(job)) return <p role="status">{job?.state === "running" ? "Explaining" : "Waiting to start"}</p>;
  if (job.state !== "done") {
    return (
      <p role="status">
        The job {job.state}. {job.error?.message} <Link className="link" to="/data">See it</Link>
      </p>
    );
  }
  return (
    <p role="status">
      Done. {job.serve_option && "Serve it with "}
      {job.serve_option && <code className="command">{job.serve_option}</code>}{" "}
      {job.serve_option && <CopyButton text={job.serve_option}>Copy</CopyButton>}
    </p>
  );
}

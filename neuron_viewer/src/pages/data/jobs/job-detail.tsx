import { useQuery } from "@tanstack/react-query";

import { followJob, type JobInfo } from "@/api/jobs";
import { modelQuery } from "@/api/queries";
import { CopyButton } from "@/components/copy-button";
import { ErrorNote } from "@/components/error-note";
import { LinePlot } from "@/components/line-plot/line-plot";
import { useStream } from "@/lib/use-stream";

import { ServeLine } from "../serve-line";
import { metricPlots } from "./metric-plots";

/** What a job told over time, drawn as it tells, the command that it is, and what came out. */
export function JobDetail({ job }: { job: JobInfo }) {
  const { data: model } = useQuery(modelQuery());
  // Resumed work has a new start, and its log goes on: read it anew.
  const key = `${job.id} ${job.started ?? ""}`;
  const told = useStream(key, (signal) => followJob(job.id, signal));
  const plots = metricPlots(told.data ?? []);
  const isServed = model?.datasets.some(({ path }) => path === job.output) ?? false;
  const total = job.progress?.total ?? null;
  return (
    <div className="jdetail">
      {told.error && <ErrorNote error={told.error} />}
      {plots.length > 0 && (
        <div className="plots" aria-label="Metrics over time" role="group">
          {plots.map(({ metric, title, lines, format, isShare, yDomain }) => (
            <LinePlot
              key={metric}
              title={title}
              lines={lines}
              format={format}
              isShare={isShare}
              xName={job.progress?.unit ?? "what is done"}
              xDomain={total === null ? undefined : [0, total]}
              yDomain={yDomain}
            />
          ))}
        </div>
      )}
      <dl className="kv jfacts">
        <dt>Command</dt>
        <dd>
          <code className="wrap">{job.command}</code> <CopyButton text={job.command}>Copy</CopyButton>
        </dd>
        {job.output && (
          <>
            <dt>Writes</dt>
            <dd>
              <code className="wrap">{job.output}</code>
            </dd>
          </>
        )}
        {job.result && Object.keys(job.result).length > 0 && (
          <>
            <dt>Result</dt>
            <dd>
              <Result result={job.result} />
            </dd>
          </>
        )}
        {job.state === "done" && job.serve_option && (
          <>
            <dt>{isServed ? "After a restart" : "Use it"}</dt>
            <dd>
              <ServeLine model={String(job.options.model ?? model?.name ?? "demo")} option={job.serve_option} />
            </dd>
          </>
        )}
      </dl>
    </div>
  );
}

/** Plain figures as words; anything deeper as JSON. */
function Result({ result }: { result: NonNullable<JobInfo["result"]> }) {
  const isPlain = Object.values(result).every((value) => typeof value !== "object" || value === null);
  if (!isPlain) {
    return (
      <details>
        <summary>Show</summary>
        <pre className="mono jresult">{JSON.stringify(result, null, 2)}</pre>
      </details>
    );
  }
  return (
    <>
      {Object.entries(result).map(([name, value]) => (
        <span key={name} className="jpair">
          <span className="label">{name.replaceAll("_", " ")}</span> <b>{String(value)}</b>
        </span>
      ))}
    </>
  );
}

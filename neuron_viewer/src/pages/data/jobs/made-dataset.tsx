import { useQuery } from "@tanstack/react-query";
import { Link, useSearchParams } from "react-router";

import type { JobInfo } from "@/api/jobs";
import { modelQuery } from "@/api/queries";

/** Whether the dataset that a job made can be looked at now: a link to it, or why not. */
export function MadeDataset({ job }: { job: JobInfo }) {
  const [params] = useSearchParams();
  const { data: model } = useQuery(modelQuery());
  if (job.kind !== "collate" || job.state !== "done") return null;
  const made = model?.datasets.find(({ path }) => path === job.output);
  const group = made?.groups.find(({ kind }) => kind === "mlp") ?? made?.groups[0];
  if (made && group) {
    const search = new URLSearchParams(params);
    search.delete("job");
    search.delete("new");
    search.set("dataset", made.name);
    const component = `${group.name}_0`;
    return (
      <p className="note" role="status">
        Ready:{" "}
        <Link className="link" to={{ pathname: `/component/${component}`, search: search.toString() }}>
          see <span className="mono">{component}</span> in {made.name}
        </Link>
        . It is also among the datasets of every component{"\u2019"}s page and of a search by text.
      </p>
    );
  }
  if (!job.not_served) return null;
  return (
    <div className="err jerr">
      <p>It is not served now. {job.not_served.message}</p>
      {job.not_served.hint && <p className="mid">{job.not_served.hint}</p>}
    </div>
  );
}

import { ErrorNote } from "@/components/error-note";

import type { ReadoutMode } from "../text-readout";
import type { RecordState } from "../use-record";
import { ExemplarPanel } from "./exemplar-panel";
import { MissingRecord } from "./missing-record";

export interface ExemplarsProps {
  record: RecordState;
  isHead: boolean;
  mode: ReadoutMode;
}

/** The exemplars, or what there is instead of them. */
export function Exemplars({ record, isHead, mode }: ExemplarsProps) {
  if (record.state === "loaded") return <ExemplarPanel record={record.record} isHead={isHead} mode={mode} />;
  return (
    <section className="panel exs" aria-labelledby="exemplars-title" aria-busy={record.state === "loading"}>
      <header>
        <h2 id="exemplars-title">Exemplars</h2>
      </header>
      <div className="pad">
        {record.state === "loading" && <div className="exs-wait" />}
        {record.state === "missing" && <MissingRecord {...record} />}
        {record.state === "error" && (
          <ErrorNote error={record.error}>
            <button type="button" className="btn small" onClick={record.retry}>
              Try again
            </button>
          </ErrorNote>
        )}
      </div>
    </section>
  );
}

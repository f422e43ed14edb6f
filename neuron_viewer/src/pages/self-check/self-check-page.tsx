import { useQuery } from "@tanstack/react-query";

import { selfCheckQuery } from "@/api/queries";
import { ErrorNote } from "@/components/error-note";

import { ClaimTable } from "./claim-table";
import { summaryOf } from "./summary";
import { useElapsed } from "./use-elapsed";
import "./self-check.css";

/** The server repeats its own claims on the loaded model, and shows what it found. */
export function SelfCheckPage() {
  const { data, error, isFetching, refetch } = useQuery({
    ...selfCheckQuery(),
    retry: false,
    enabled: false,
  });
  const elapsed = useElapsed(isFetching);
  const summary = data ? summaryOf(data.claims) : null;
  return (
    <main className="dbg self-check">
      <section className="panel" aria-labelledby="self-check-title">
        <header>
          <h1 id="self-check-title">Self-check</h1>
          {data && <span className="note">{data.model}</span>}
          <span className="end">
            <span className="mid" role="status">
              {isFetching ? "Checking" : summary}
            </span>
            {isFetching && <span className="note">{elapsed.toFixed(1)} s</span>}
            <button
              type="button"
              className="btn primary"
              disabled={isFetching}
              onClick={() => void refetch()}
            >
              {data ? "Run again" : "Run"}
            </button>
          </span>
        </header>
        <p className="pad mid lead">
          The server repeats its own claims on the loaded model: its numbers against Hugging Face, against
          finite differences, and against each other.
        </p>
        {error && (
          <div className="pad">
            <ErrorNote error={error}>
              <button type="button" className="btn small" onClick={() => void refetch()}>
                Try again
              </button>
            </ErrorNote>
          </div>
        )}
        {!data && !error && (
          <p className="pad mid waiting">
            {isFetching
              ? "Running the model several times; other requests wait for it."
              : "Not run yet. It takes some seconds, and other requests wait for it."}
          </p>
        )}
        {data && data.claims.length === 0 && <p className="pad mid">This server makes no claims to check.</p>}
        {data && data.claims.length > 0 && <ClaimTable claims={data.claims} stale={isFetching} />}
      </section>
    </main>
  );
}

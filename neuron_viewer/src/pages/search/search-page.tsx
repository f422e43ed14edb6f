import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { searchQuery } from "@/api/explanations";
import { modelQuery } from "@/api/queries";
import type { ModelResponse } from "@/api/types";
import { Async } from "@/components/async";
import { ErrorBoundary } from "@/components/error-boundary";
import { ErrorNote } from "@/components/error-note";
import { formatCount } from "@/lib/format";

import { CoveragePanel } from "./coverage-panel";
import { mergeHits } from "./merge-hits";
import { ResultList } from "./result-list";
import { SearchForm } from "./search-form";
import { densityRange, readSearch, writeSearch, type SearchState } from "./search-state";
import "./search.css";

const MOST = 1000;
const MATCHES =
  "Matches are sides of components. By meaning: those whose explanation is more similar than explanations of other things are; what is listed behind them is greyed.";

/** Finds components by what they respond to or write. */
export function SearchPage() {
  const model = useQuery(modelQuery());
  return (
    <main className="search" id="page">
      <h1 className="sr">Search</h1>
      <Async query={model}>{(loaded) => <LoadedSearch model={loaded} />}</Async>
    </main>
  );
}

function LoadedSearch({ model }: { model: ModelResponse }) {
  const [params, setParams] = useSearchParams();
  const state = readSearch(params);
  function change(next: SearchState) {
    setParams((old) => writeSearch(old, next), { replace: true });
  }
  return (
    <>
      <SearchForm state={state} model={model} onChange={change} />
      {state.query.trim() === "" ? (
        <ErrorBoundary name="What is explained">
          <CoveragePanel />
        </ErrorBoundary>
      ) : (
        <ErrorBoundary name="Results">
          {/* Another mode has other units: what it found does not stand in for what this one will. */}
          <Results key={state.mode} state={state} model={model} />
        </ErrorBoundary>
      )}
    </>
  );
}

function Results({ state, model }: { state: SearchState; model: ModelResponse }) {
  const { query, mode, kind, layer, side, minScore, density } = state;
  const dataset = mode === "text" ? state.dataset : null;
  const found = useQuery({
    ...searchQuery({
      ...{ q: query, mode, kind, layer, side, dataset, min_score: minScore, limit: MOST },
      ...densityRange(density),
    }),
    placeholderData: keepPreviousData,
    retry: false,
  });
  const answer = found.data?.hits;
  const hits = useMemo(() => answer && mergeHits(answer), [answer]);
  return (
    <section
      className={found.isPlaceholderData ? "panel stale" : "panel"}
      aria-labelledby="results-title"
      aria-busy={found.isFetching}
    >
      <header>
        <h2 id="results-title">Results</h2>
        <span className="note" role="status" title={MATCHES}>
          {answer && hits && !found.error && countText(hits.length, answer.length, found.data?.n_matches ?? null)}
        </span>
      </header>
      {found.error && (
        <div className="pad">
          <ErrorNote error={found.error}>
            <button type="button" className="btn small" onClick={() => void found.refetch()}>
              Try again
            </button>
          </ErrorNote>
        </div>
      )}
      {!hits && !found.error && <p className="pad note">Searching</p>}
      {hits?.length === 0 && !found.error && (
        <p className="pad mid">Nothing was found. Loosen the filters, or search in another way.</p>
      )}
      {hits && hits.length > 0 && !found.error && <ResultList hits={hits} mode={mode} model={model} />}
    </section>
  );
}

/** How many match, where that is known; and how many are listed. */
function countText(listed: number, explanations: number, matches: number | null): string {
  const list = explanations >= MOST ? `the first ${formatCount(listed)}` : formatCount(listed);
  if (matches === null) return list;
  if (listed === 0) return "none";
  if (matches === 0) return `no match; the nearest ${formatCount(listed)} listed`;
  const sides = matches === 1 ? "side of a component matches" : "sides of components match";
  return `${formatCount(matches)} ${sides}; ${list} listed`;
}

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { steerPreviewQuery } from "@/api/monitor";
import type { ConceptSpec } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { formatCount } from "@/lib/format";
import { useSettled } from "@/lib/use-settled";

import { MatchList } from "./match-list";

type ConceptFormProps = { extremeLevel: number | null; onAdd: (concept: ConceptSpec) => void };

/** As published: many to suppress a concept, few to bring it in. */
const K = { suppress: 500, strengthen: 50 };
const STRENGTH = { suppress: 0, strengthen: 0.5 };
type Verb = keyof typeof K;

/** A concept in words, and the components that it means: shown before anything happens. */
export function ConceptForm({ extremeLevel, onAdd }: ConceptFormProps) {
  const [text, setText] = useState("");
  const [k, setK] = useState<number | null>(null);
  const wanted = useSettled(text.trim(), 200);
  const query = useQuery({
    ...steerPreviewQuery({
      text: wanted,
      k: k ?? K.suppress,
      kinds: null,
      layers: null,
      side: null,
      min_score: null,
      min_similarity: null,
      dataset: null,
    }),
    enabled: wanted !== "",
    placeholderData: keepPreviousData,
  });
  const found = wanted === "" ? undefined : query.data;
  function add(verb: Verb) {
    const members = (found?.matches ?? []).slice(0, k ?? K[verb]).map(({ component, side }) => ({ component, side }));
    if (members.length === 0) return;
    onAdd({
      name: wanted,
      members,
      strength: STRENGTH[verb],
      method: "set",
      where: "everything",
      positions: null,
      only_matching_side: true,
      enabled: true,
    });
    setText("");
  }
  const n = found?.matches.length ?? 0;
  return (
    <form className="conceptform" onSubmit={(event) => { event.preventDefault(); add("suppress"); }}>
      <div className="concept">
        <input
          className="field big"
          aria-label="Concept"
          placeholder="A concept, as in: days of the week"
          maxLength={1000}
          value={text}
          onChange={(event) => { setText(event.target.value); }}
        />
        <span className="quiet small" role="status">
          {found && `${formatCount(found.n_matches)} match by meaning`}
        </span>
      </div>
      {query.error && wanted !== "" && <ErrorNote error={query.error} />}
      {found && <MatchList matches={found.matches} />}
      {found && (
        <>
          <div className="row">
            <span className="label">Components k</span>
            <input
              type="range"
              aria-label="Components"
              min={1}
              max={Math.max(1, Math.min(n, K.suppress))}
              value={Math.min(k ?? K.strengthen, Math.max(1, n))}
              onChange={(event) => { setK(Number(event.target.value)); }}
            />
            <b>{Math.min(k ?? K.strengthen, n)}</b>
          </div>
          <div className="row">
            <button type="button" className="btn small" disabled={n === 0} onClick={() => { add("suppress"); }}>
              Suppress {Math.min(k ?? K.suppress, n)}
            </button>
            <button
              type="button"
              className="btn small"
              disabled={n === 0 || extremeLevel === null}
              title={extremeLevel === null ? "Needs a dataset, for the components' quantiles" : undefined}
              onClick={() => { add("strengthen"); }}
            >
              Strengthen {Math.min(k ?? K.strengthen, n)}
            </button>
          </div>
        </>
      )}
    </form>
  );
}

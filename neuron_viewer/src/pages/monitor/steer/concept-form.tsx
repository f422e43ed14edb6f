import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { steerPreviewQuery } from "@/api/monitor";
import type { ConceptSpec, SteerMatch } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { formatCount } from "@/lib/format";
import { useSettled } from "@/lib/use-settled";

import { Choice } from "../components/listing-controls";
import { MatchList } from "./match-list";

type ConceptFormProps = { onAdd: (concept: ConceptSpec) => void };

/** As published: many to suppress a concept, few to bring it in. */
const K = { suppress: 500, strengthen: 50 };
const STRENGTH = { suppress: 0, strengthen: 0.5 };
type Verb = keyof typeof K;

const VERBS = [["suppress", "Suppress"], ["strengthen", "Strengthen"]] as const;

/** A concept in words, and the components that it means: shown before anything happens. */
export function ConceptForm({ onAdd }: ConceptFormProps) {
  const [text, setText] = useState("");
  const [verb, setVerb] = useState<Verb | null>(null);
  const [k, setK] = useState<number | null>(null);
  const wanted = useSettled(text.trim(), 200);
  const query = useQuery({
    ...steerPreviewQuery({
      text: wanted,
      k: K.suppress,
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
  const matches = found?.matches ?? [];
  const used = verb === null ? 0 : Math.min(k ?? K[verb], matches.length);
  const lacksQuantiles = verb === "strengthen" && found?.extreme_level === null;
  const isReady = verb !== null && used > 0 && !lacksQuantiles && !query.isPlaceholderData;
  function add() {
    if (verb === null || !isReady) return;
    onAdd({
      name: wanted,
      members: matches.slice(0, used).map(({ component, side }) => ({ component, side })),
      strength: STRENGTH[verb],
      method: "set",
      where: "everything",
      positions: null,
      only_matching_side: true,
      enabled: true,
    });
    setText("");
    setVerb(null);
    setK(null);
  }
  return (
    <form className="conceptform" onSubmit={(event) => { event.preventDefault(); add(); }}>
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
      {found && <MatchList matches={matches} />}
      {found && matches.length > 0 && (
        <div className="row">
          <span className="label">What to do</span>
          <Choice
            label="What to do with it"
            options={VERBS}
            value={verb}
            onChange={(next) => {
              setVerb(next);
              setK(null);
            }}
          />
        </div>
      )}
      {found && verb !== null && used > 0 && (
        <>
          <Size found={found} wanted={k ?? K[verb]} used={used} onChange={setK} />
          {lacksQuantiles && <p className="note">To strengthen needs a dataset, for the components{"\u2019"} own quantiles.</p>}
          <div className="row">
            <button type="submit" className="btn small" disabled={!isReady}>
              {verb === "suppress" ? "Suppress" : "Strengthen"} {used} {used === 1 ? "component" : "components"}
            </button>
          </div>
        </>
      )}
    </form>
  );
}

type SizeProps = {
  found: { matches: readonly SteerMatch[]; n_matches: number };
  /** How many would be taken, were there so many. */
  wanted: number;
  used: number;
  onChange: (k: number) => void;
};

/** How many components the concept takes, the most similar first; and why not more, where it stops short. */
function Size({ found, wanted, used, onChange }: SizeProps) {
  const { matches, n_matches: nMatches } = found;
  const most = matches.length;
  return (
    <>
      <div className="row">
        <span className="label">Number k</span>
        <input
          type="range"
          aria-label="Components"
          min={1}
          max={most}
          value={used}
          onChange={(event) => { onChange(Number(event.target.value)); }}
        />
        <b>{used}</b>
      </div>
      {used === most && most < nMatches && (
        <p className="note">At most {most}: the most similar of the {formatCount(nMatches)} that match.</p>
      )}
      {wanted > nMatches && <p className="note">All that match: no more than {formatCount(nMatches)} do.</p>}
    </>
  );
}

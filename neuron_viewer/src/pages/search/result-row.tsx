import { memo, type Ref } from "react";
import { Link } from "react-router";

import { KindMark } from "@/components/kind-mark";
import { ScoreBar } from "@/components/score-bar";
import { Token } from "@/components/token";
import { formatEffect, formatMagnitude } from "@/lib/format";
import { parseComponent } from "@/lib/node";
import { percent } from "@/lib/standing";
import { unbroken } from "@/lib/unbroken";

import type { Row } from "./merge-hits";
import type { Mode } from "./search-state";

export interface ResultRowProps {
  ref: Ref<HTMLLIElement>;
  hit: Row;
  mode: Mode;
  index: number;
  count: number;
  /** Pixels below the top of the list. */
  offset: number;
  /** The Debugger's search string that edits this component. */
  editSearch: string;
  /** What is carried to the component's page. */
  carried: string;
}

/** One side of a component that was found: name, what was found to be said of it, each with its score, and how well it fits. */
export const ResultRow = memo(function ResultRow(props: ResultRowProps) {
  const { ref, hit, mode, index, count, offset, editSearch, carried } = props;
  const { component, side, explanation, others } = hit;
  return (
    <li
      ref={ref}
      className={hit.is_match ? "result" : "result far"}
      data-index={index}
      aria-setsize={count}
      aria-posinset={index + 1}
      style={{ transform: `translateY(${offset}px)` }}
    >
      <span className="node">
        <KindMark kind={parseComponent(component)?.kind ?? "bias"} />
        <Link className="mono" to={{ pathname: `/component/${component}`, search: carried }}>
          {component}
        </Link>
      </span>
      <span className={side === "negative" ? "neg" : "pos"} title={`${side} side`}>
        {side === "negative" ? "\u2212" : "+"}
      </span>
      <span className="said">
        {explanation ? (
          [explanation, ...others].map((one) => (
            <span key={one.id} className="saying">
              <span className="exp">{unbroken(one.text)}</span>
              <ScoreBar explanation={one} />
            </span>
          ))
        ) : (
          <span className="exp quiet">No explanation yet.</span>
        )}
      </span>
      <Match hit={hit} mode={mode} />
      <span className="acts">
        <Link className="btn small" title={`Ablate ${component} in the Debugger`} to={{ pathname: "/", search: editSearch }}>
          Ablate
        </Link>
      </span>
    </li>
  );
});

const FAR = ": no more than explanations of other things have";
const MATCH_TITLES: Record<Mode, string> = {
  meaning: "Cosine similarity of the explanation with the query",
  keyword: "Rank by the words' rarity (BM25); larger is better",
  token: "How far the component's write moves this token's logit, per unit of activation",
  text: "Share of the component's own values that lie beyond its value here",
};

const UNITS: Partial<Record<Mode, string>> = { meaning: "similarity", keyword: "BM25", token: "logits" };

function matchText(mode: Mode, value: number): string {
  if (mode === "token") return formatEffect(value);
  if (mode === "text") return value >= 1 ? "beyond all" : `top ${percent(1 - value)}`;
  return formatMagnitude(value);
}

function Match({ hit, mode }: { hit: Row; mode: Mode }) {
  const { value, token, position } = hit;
  return (
    <span className="match" title={`${MATCH_TITLES[mode]}${hit.is_match ? "" : FAR}`}>
      <b>{matchText(mode, value)}</b>
      {UNITS[mode] && <span className="quiet">{UNITS[mode]}</span>}
      {token != null && (
        <span className="quiet">
          at <Token text={token} index={position ?? undefined} />
        </span>
      )}
    </span>
  );
}

import type { ReactNode } from "react";

import type { ComponentTokensResponse, TokenScore } from "@/api/types";
import { Async, type Asynchronous } from "@/components/async";
import { Token } from "@/components/token";
import { maxAbs } from "@/lib/color";
import { define } from "@/lib/define";
import { formatEffect } from "@/lib/format";

export interface WeightListsProps {
  query: Asynchronous<ComponentTokensResponse>;
  isHead: boolean;
}

/** What the weights alone promote, suppress and respond to. */
export function WeightLists({ query, isHead }: WeightListsProps) {
  return (
    <Async query={query} loading={<Waiting />}>
      {(data) => (isHead ? <HeadLists data={data} /> : <UnitLists data={data} />)}
    </Async>
  );
}

function UnitLists({ data }: { data: ComponentTokensResponse }) {
  return (
    <>
      <ListPanel
        title="Write to the output"
        note={<span title={"Through the final norm\u2019s gain and the unembedding, centred over the vocabulary"}>{"final norm\u2019s gain, centred"}</span>}
        lists={[
          { name: "Promotes", scores: data.promotes },
          { name: "Suppresses", scores: data.suppresses },
        ]}
      />
      <ListPanel
        title="Read from the embeddings"
        note="each token by itself"
        lists={[
          { name: "Raised by", scores: data.responds_to },
          { name: "Lowered by", scores: data.responds_against },
        ]}
      />
    </>
  );
}

function HeadLists({ data }: { data: ComponentTokensResponse }) {
  const copying = data.copying ?? null;
  return (
    <>
      <ListPanel
        title="OV: what it writes"
        note={
          copying !== null && (
            <span tabIndex={0} {...define("copying", { exact: copying })}>
              copies {(100 * copying).toFixed(1)}% of tokens
            </span>
          )
        }
        lists={[
          { name: "Promotes", scores: data.promotes },
          { name: "Suppresses", scores: data.suppresses },
        ]}
      />
      <ListPanel
        title="OV: what it reads"
        note="tokens that make it write that"
        lists={[
          { name: "As above", scores: data.responds_to },
          { name: "The opposite", scores: data.responds_against },
        ]}
      />
      <ListPanel
        title="QK: where it looks"
        note="from these queries to these keys"
        lists={[
          { name: "Query", scores: data.query },
          { name: "Key", scores: data.key },
        ]}
        areAlike={false}
      />
    </>
  );
}

interface ListPanelProps {
  title: string;
  note: ReactNode;
  lists: readonly { name: string; scores: readonly TokenScore[] }[];
  /** Whether the lists are in one unit, and so share a scale. */
  areAlike?: boolean;
}

/** Token lists side by side, with bars on one scale. */
export function ListPanel({ title, note, lists, areAlike = true }: ListPanelProps) {
  const maximumOf = (scores: readonly TokenScore[]) => maxAbs(scores.map((score) => score.logit));
  const shared = Math.max(...lists.map((list) => maximumOf(list.scores)));
  return (
    <section className="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
        <span className="note">{note}</span>
      </header>
      <div className="pad two">
        {lists.map((list) => (
          <div key={list.name}>
            <h3>{list.name}</h3>
            <TokenScores scores={list.scores} maximum={areAlike ? shared : maximumOf(list.scores)} />
          </div>
        ))}
      </div>
    </section>
  );
}

function TokenScores({ scores, maximum }: { scores: readonly TokenScore[]; maximum: number }) {
  if (scores.length === 0) return <p className="note">None.</p>;
  return (
    <ul className="tl">
      {scores.map((score) => (
        <li key={score.id}>
          <Token text={score.text} />
          <span className="tb" aria-hidden="true">
            <i
              className={score.logit < 0 ? "n" : "p"}
              style={{ width: `${maximum > 0 ? (100 * Math.abs(score.logit)) / maximum : 0}%` }}
            />
          </span>
          <span className="num">{formatEffect(score.logit)}</span>
        </li>
      ))}
    </ul>
  );
}

function Waiting() {
  return (
    <section className="panel" aria-busy="true">
      <header>
        <h2>Write to the output</h2>
      </header>
      <div className="pad lists-wait" />
    </section>
  );
}

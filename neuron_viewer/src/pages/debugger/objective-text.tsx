/** The objective in words: what the large figure is of, and the first level of the trace line. */
import type { ReactNode } from "react";

import type { Objective, TraceSpec } from "@/api/types";
import { Token } from "@/components/token";
import type { QuestionCase, Through } from "@/lib/question";

export const OBJECTIVE_NAMES: Record<Objective, string> = {
  logit_diff: "logit difference",
  logit_minus_mean: "logit minus mean",
  logprob: "log probability",
  prob: "probability",
};

export const THROUGH_NAMES: Record<Through, string> = {
  query: "through query",
  key: "through key",
  query_and_key: "through query and key",
  value: "through value",
};

/** "logit Mary - logit John", as the trace line begins. */
export function ObjectiveFormula({ spec }: { spec: QuestionCase }) {
  const target = <TokenList texts={spec.target_tokens} />;
  switch (spec.objective) {
    case "logit_diff":
      if (spec.distractor_tokens.length === 0) return <>logit {target}</>;
      return (
        <>
          logit {target} {"\u2212"} logit <TokenList texts={spec.distractor_tokens} />
        </>
      );
    case "logit_minus_mean":
      return (
        <>
          logit {target} {"\u2212"} mean logit
        </>
      );
    case "logprob":
      return <>log p {target}</>;
    case "prob":
      return <>p {target}</>;
  }
}

/** "logits, Mary over John", as the large figure is captioned. */
export function ObjectiveCaption({ spec, unit }: { spec: QuestionCase; unit: string }) {
  const target = <TokenList texts={spec.target_tokens} />;
  switch (spec.objective) {
    case "logit_diff":
      if (spec.distractor_tokens.length === 0) return caption(unit, target);
      return caption(
        unit,
        <>
          {target} over <TokenList texts={spec.distractor_tokens} />
        </>,
      );
    case "logit_minus_mean":
      return caption(unit, <>{target} over the mean</>);
    case "logprob":
      return caption(unit, <>log probability of {target}</>);
    case "prob":
      return <>probability of {target}</>;
  }
}

function caption(unit: string, what: ReactNode) {
  return (
    <>
      {unit}, {what}
    </>
  );
}

export function traceName({ node, through }: Pick<TraceSpec, "node" | "through">): string {
  return through ? `${node} ${THROUGH_NAMES[through]}` : node;
}

function TokenList({ texts }: { texts: string[] }) {
  if (texts.length === 0) return <span className="quiet">no token</span>;
  return texts.map((text, place) => (
    <span key={place}>
      {place > 0 && " "}
      <Token text={text} />
    </span>
  ));
}

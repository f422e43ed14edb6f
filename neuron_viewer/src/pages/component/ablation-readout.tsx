import { useQuery } from "@tanstack/react-query";

import { measureQuery, modelQuery } from "@/api/queries";
import type { MeasureRequest, MeasureResponse } from "@/api/types";
import { ApiError } from "@/api/errors";
import { basesFor } from "@/lib/component-link";
import { define } from "@/lib/define";
import { formatPoints, formatProb } from "@/lib/format";
import type { Bases } from "@/lib/bases";
import { emptyCase } from "@/lib/question";

import { useSettled } from "@/lib/use-settled";

import { usePageCoder } from "./page-coder";

export interface AblationReadoutProps {
  component: string;
  text: string;
  /** The token whose probability is asked for, and its place. */
  token: string;
  index: number;
}

const SETTLE = 200;

/** How likely a token was, and how likely it is without this component: one measured ablation. */
export function AblationReadout({ component, text, token, index }: AblationReadoutProps) {
  const settled = useSettled(index, SETTLE);
  const coder = usePageCoder();
  const { data: model } = useQuery(modelQuery());
  const bases = basesFor(component, model?.coders ?? [], coder);
  const query = useQuery({
    ...measureQuery(ablationRequest(component, text, token, index, bases)),
    enabled: index > 0 && settled === index && model !== undefined,
    retry: false,
  });
  if (index === 0) return <span className="quiet">nothing stands before it, so nothing predicts it</span>;
  if (query.error) return <span className="quiet">{reasonOf(query.error)}</span>;
  const change = query.data ? changeOf(query.data) : null;
  return (
    <>
      <span className="quiet">probability of this token</span>
      {change ? (
        <b {...define("prob", { exact: change.before })}>{formatProb(change.before)}</b>
      ) : (
        <Pending />
      )}
      <span className="quiet">with {component} ablated</span>
      {change ? <b {...define("prob", { exact: change.after })}>{formatProb(change.after)}</b> : <Pending />}
      {change && <Change points={change.after - change.before} />}
    </>
  );
}

function Change({ points }: { points: number }) {
  const text = formatPoints(points);
  return <b className={text.startsWith("0") ? "quiet" : points < 0 ? "neg" : "pos"}>{text}</b>;
}

function Pending() {
  return (
    <span className="pend">
      <span className="sr">computing</span>
    </span>
  );
}

/** The token before predicts it; the component's bare name ablates it at every token at once. */
export function ablationRequest(
  component: string,
  text: string,
  token: string,
  index: number,
  bases: Bases,
): MeasureRequest {
  const asked = { ...emptyCase(text), target_tokens: [token], position: Math.max(0, index - 1) };
  return {
    case: { ...asked, objective: "prob" },
    nodes: [component],
    to: "zero",
    ...bases,
  };
}

/** A measured effect is the objective less that of the ablated run. */
export function changeOf({ objective, effects }: MeasureResponse): { before: number; after: number } | null {
  const effect = effects[0]?.measured_effect;
  return effect === undefined ? null : { before: objective, after: objective - effect };
}

/** A part of a character is no text, so the server cannot be asked about it by name. */
function reasonOf(error: Error): string {
  return error instanceof ApiError && error.status === 422
    ? "this token cannot be asked about by its text alone"
    : error.message;
}

import type { CaseResult, CaseSpec, DebugRequest } from "@/api/types";
import { define } from "@/lib/define";
import { formatEffect, isZeroEffect } from "@/lib/format";

import { ObjectiveCaption, traceName } from "../objective-text";

type FiguresProps = { left: CaseResult; right: CaseResult | null; request: DebugRequest };

/** The objective as the page's one large figure; with two cases left, difference and right. */
export function Figures({ left, right, request }: FiguresProps) {
  const [asked, other] = request.cases;
  if (!asked) return null;
  const { value, unit } = left.objective;
  const term = asked.trace ? "objective" : asked.objective;
  if (!right) {
    return (
      <div className="fig">
        <span className={`big ${tone(value)}`} {...define(term, { exact: value, unit })}>
          {formatEffect(value)}
        </span>
        <span className="cap">
          {asked.trace ? `${unit}, ${traceName(asked.trace)}` : <ObjectiveCaption spec={asked} unit={unit} />}
        </span>
      </div>
    );
  }
  const difference = value - right.objective.value;
  const names = namesOf(asked, other);
  return (
    <div className="fig ldrfig">
      <div>
        <span className="big" {...define(term, { exact: value, unit })}>
          {formatEffect(value)}
        </span>
        <span className="cap">{names[0]}</span>
      </div>
      <div>
        <span className={`big ${tone(difference)}`} {...define(term, { exact: difference, unit })}>
          {formatEffect(difference)}
        </span>
        <span className="cap">difference</span>
      </div>
      <div>
        <span className="big quiet" {...define(term, { exact: right.objective.value, unit })}>
          {formatEffect(right.objective.value)}
        </span>
        <span className="cap">{names[1]}</span>
      </div>
    </div>
  );
}

const PAST = { ablate: "ablated", set: "set", scale: "scaled", patch: "patched", steer: "steered" };

/** An edited case stands beside itself as it was; otherwise there are two prompts. */
function namesOf(left: CaseSpec, right: CaseSpec | undefined): [string, string] {
  const kinds = new Set(left.interventions.map((spec) => spec.kind));
  const [only] = kinds;
  if (!only || right?.prompt !== left.prompt) return ["left prompt", "right prompt"];
  return [`left: ${kinds.size === 1 ? PAST[only] : "edited"}`, "right: baseline"];
}

function tone(value: number): string {
  if (isZeroEffect(value)) return "quiet";
  return value < 0 ? "neg" : "pos";
}

import type { CaseResult } from "@/api/types";
import { define } from "@/lib/define";
import { formatEffect, isZeroEffect } from "@/lib/format";
import type { Question } from "@/lib/question";

import { ObjectiveCaption, traceName } from "../objective-text";

type FiguresProps = { left: CaseResult; right: CaseResult | null; question: Question };

/** The objective as the page's one large figure; with two cases left, difference and right. */
export function Figures({ left, right, question }: FiguresProps) {
  const { value, unit } = left.objective;
  const level = question.traces.at(-1);
  const term = level ? "objective" : question.left.objective;
  if (!right) {
    return (
      <div className="fig">
        <span className={`big ${tone(value)}`} {...define(term, { exact: value, unit })}>
          {formatEffect(value)}
        </span>
        <span className="cap">
          {level ? `${unit}, ${traceName(level)}` : <ObjectiveCaption spec={question.left} unit={unit} />}
        </span>
      </div>
    );
  }
  const difference = value - right.objective.value;
  const names = question.right ? ["left prompt", "right prompt"] : [editName(question), "right: baseline"];
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

function editName({ left }: Question): string {
  const kinds = new Set(left.interventions.map((spec) => spec.kind));
  const [only] = kinds;
  return `left: ${kinds.size === 1 && only ? PAST[only] : "edited"}`;
}

function tone(value: number): string {
  if (isZeroEffect(value)) return "quiet";
  return value < 0 ? "neg" : "pos";
}

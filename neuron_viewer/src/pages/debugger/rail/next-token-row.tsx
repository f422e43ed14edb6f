import type { MouseEvent } from "react";

import { Token } from "@/components/token";
import { Track } from "@/components/value-bar";
import { define } from "@/lib/define";
import { formatMagnitude, formatPointsBare, formatProb, NONE, visibleText } from "@/lib/format";

import type { DebugActions } from "../view";
import { changeOf, type NextTokenRow as Row } from "./next-tokens";

export interface NextTokenRowProps {
  row: Row;
  scale: number;
  isCompared: boolean;
  actions: Pick<DebugActions, "setTarget" | "setDistractor">;
}

const ROLE_CLASS = { target: "t", distractor: "d" };

export function NextTokenRow({ row, scale, isCompared, actions }: NextTokenRowProps) {
  const [only] = row.cases;
  return (
    <tr className={row.role ? ROLE_CLASS[row.role] : undefined}>
      {!isCompared && <td className="quiet num">{only?.rank ?? NONE}</td>}
      <td>
        <TokenChoice row={row} actions={actions} />
      </td>
      <td className="role">
        {row.role ?? (
          <button
            type="button"
            className="as-distractor"
            aria-label={`Make ${visibleText(row.text)} the distractor`}
            onClick={() => actions.setDistractor(row.text)}
          >
            as distractor
          </button>
        )}
      </td>
      {isCompared ? <ComparedCells row={row} scale={scale} /> : <SingleCells row={row} />}
    </tr>
  );
}

function TokenChoice({ row, actions }: Pick<NextTokenRowProps, "row" | "actions">) {
  function choose(event: MouseEvent) {
    if (event.shiftKey) actions.setDistractor(row.text);
    else actions.setTarget(row.text);
  }
  const name = visibleText(row.text);
  return (
    <button
      type="button"
      className="choose"
      title={`Make ${name} the target; with Shift, the distractor`}
      aria-label={`${name}: make it the target`}
      onClick={choose}
    >
      <Token text={row.text} />
    </button>
  );
}

function SingleCells({ row }: { row: Row }) {
  const token = row.cases[0];
  const prob = token?.prob ?? 0;
  return (
    <>
      <td>
        <span className="prob" aria-hidden="true">
          <i style={{ width: `${(100 * prob).toFixed(1)}%` }} />
        </span>
      </td>
      <td className="num" {...define("prob", { exact: token?.prob })}>
        {formatProb(token?.prob, 2)}
      </td>
      <td className="num" {...define("logit", { exact: token?.logit, unit: "logits" })}>
        {formatMagnitude(token?.logit)}
      </td>
    </>
  );
}

function ComparedCells({ row, scale }: { row: Row; scale: number }) {
  const [left, right] = row.cases;
  const change = changeOf(row);
  return (
    <>
      <td className="num" {...define("prob", { exact: left?.prob })}>
        {formatProb(left?.prob, 2)}
      </td>
      <td>
        <span className="vb">
          <span className={change === null ? "num quiet" : "num diff"}>
            {change === null ? NONE : formatPointsBare(change)}
          </span>
          <Track value={change} scale={scale} />
        </span>
      </td>
      <td className="num quiet" {...define("prob", { exact: right?.prob })}>
        {formatProb(right?.prob, 2)}
      </td>
    </>
  );
}

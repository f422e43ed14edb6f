import type { CaseResult } from "@/api/types";
import { Token } from "@/components/token";

import type { DebugActions } from "../view";
import { nextTokenRows, probabilityScale } from "./next-tokens";
import { NextTokenRow } from "./next-token-row";

export interface NextTokenPanelProps {
  cases: readonly CaseResult[];
  actions: Pick<DebugActions, "setTarget" | "setDistractor">;
}

const SINGLE = [
  { name: "Rank", numeric: true },
  { name: "Token", numeric: false },
  { name: "Role", numeric: false },
  { name: "Bar", numeric: false },
  { name: "Prob.", numeric: true },
  { name: "Logit", numeric: true },
];
const COMPARED = [
  { name: "Token", numeric: false },
  { name: "Role", numeric: false },
  { name: "Left", numeric: true },
  { name: "Diff, points", numeric: true },
  { name: "Right", numeric: true },
];
const UNNAMED = new Set(["Role", "Bar"]);

/** What the model would write next: one case with its logits, or two with the difference in points. */
export function NextTokenPanel({ cases, actions }: NextTokenPanelProps) {
  const left = cases[0];
  if (!left) return null;
  const rows = nextTokenRows(cases);
  const { position } = left.objective;
  const after = left.tokens[position];
  const isCompared = cases.length > 1;
  return (
    <section className="panel next" aria-labelledby="next-token-title">
      <header>
        <h2 id="next-token-title">Next token</h2>
        {after && (
          <span className="note">
            after <Token text={after.text} index={position} />
          </span>
        )}
        <span className="end">
          <span className="note hide-m hide-s">click: target, Shift: distractor</span>
        </span>
      </header>
      <div className="scroll">
        <table className="table">
          <thead>
            <tr>
              {(isCompared ? COMPARED : SINGLE).map(({ name, numeric }) => (
                <th key={name} scope="col" className={numeric ? "num" : undefined}>
                  <span className={UNNAMED.has(name) ? "sr" : undefined}>{name}</span>
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {rows.map((row) => (
              <NextTokenRow
                key={row.id}
                row={row}
                scale={probabilityScale(rows)}
                isCompared={isCompared}
                actions={actions}
              />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

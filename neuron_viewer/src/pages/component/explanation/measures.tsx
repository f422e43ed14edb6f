import type { Explanation } from "@/api/types";
import { scoreText } from "@/components/score-bar";
import { define } from "@/lib/define";
import { formatCount } from "@/lib/format";

/** Every score of an explanation: its interval, and the number of tokens it rests on; why, where it has no value. */
export function Measures({ explanation }: { explanation: Explanation }) {
  const measures = Object.entries(explanation.measures ?? {});
  if (measures.length === 0) return null;
  return (
    <dl className="measures">
      {measures.map(([name, { value, low, high, n, reason }]) => (
        <div key={name}>
          <dt>{name.replaceAll("_", " ")}</dt>
          <dd {...define(name, { exact: value })}>
            {value === null ? <span className="quiet">undefined: {reason}</span> : <b>{scoreText(value)}</b>}
            {low !== null && high !== null && (
              <span className="quiet">
                {" "}
                {scoreText(low)} to {scoreText(high)}
              </span>
            )}
            {n > 0 && <span className="quiet"> on {formatCount(n)}</span>}
          </dd>
        </div>
      ))}
    </dl>
  );
}

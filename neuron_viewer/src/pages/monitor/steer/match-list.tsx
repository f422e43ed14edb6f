import { Link } from "react-router";

import type { SteerMatch } from "@/api/types";
import { KindMark } from "@/components/kind-mark";
import { define } from "@/lib/define";

const SHOWN = 6;

/** The best matches of a concept, with side and likeness. */
export function MatchList({ matches }: { matches: readonly SteerMatch[] }) {
  if (matches.length === 0) return <p className="note">No explanation comes near. Try other words.</p>;
  return (
    <ul className="prev">
      {matches.slice(0, SHOWN).map((match) => (
        <li key={`${match.component} ${match.side}`} title={match.explanation}>
          <span className="node">
            <KindMark kind={match.kind} />
            <Link className="mono" to={`/component/${match.component}`}>{match.component}</Link>
            <span className="quiet small clip">{match.explanation}</span>
          </span>
          <b className={match.side === "positive" ? "pos" : "neg"}>{match.side === "positive" ? "+" : "\u2212"}</b>
          <span className="num" {...define("similarity", { exact: match.similarity })}>
            {match.similarity.toFixed(2)}
          </span>
        </li>
      ))}
      {matches.length > SHOWN && <li className="quiet small">and {matches.length - SHOWN} more</li>}
    </ul>
  );
}

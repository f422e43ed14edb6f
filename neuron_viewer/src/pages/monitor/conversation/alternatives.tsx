import type { TokenStatistics } from "@/api/types";
import { Token } from "@/components/token";
import { define } from "@/lib/define";
import { formatEffect, formatProb } from "@/lib/format";

type AlternativesProps = {
  token: TokenStatistics;
  at: number;
  /** Where the reply can go on from another token; null where it cannot. */
  onBranch: ((id: number) => void) | null;
};

/** What the model might have said here, and how likely each was. */
export function Alternatives({ token, at, onBranch }: AlternativesProps) {
  const { logprob, rank, top } = token;
  return (
    <div className="alts">
      <div className="ah">
        <Token text={token.text} />
        <span className="quiet">token {at}</span>
        {rank !== null && (
          <span className="quiet" {...define("rank")}>
            rank {rank}
          </span>
        )}
        {logprob !== null && (
          <span className="num" {...define("logprob", { exact: logprob, unit: "nats" })}>
            log-prob. <b>{formatEffect(logprob)}</b>
          </span>
        )}
      </div>
      {logprob === null ? (
        <p className="pad note">The first token is predicted from nothing.</p>
      ) : (
        <ol>
          {top.map((other) => (
            <AlternativeRow
              key={other.id}
              text={other.text}
              prob={Math.exp(other.logprob)}
              isHere={other.id === token.id}
              onBranch={onBranch && (() => { onBranch(other.id); })}
            />
          ))}
        </ol>
      )}
    </div>
  );
}

type RowProps = { text: string; prob: number; isHere: boolean; onBranch: (() => void) | null };

function AlternativeRow({ text, prob, isHere, onBranch }: RowProps) {
  return (
    <li className={isHere ? "on" : undefined}>
      <Token text={text} />
      <span className="prob" aria-hidden="true">
        <i style={{ width: `${(100 * prob).toFixed(1)}%` }} />
      </span>
      <span className="num" {...define("prob", { exact: prob })}>
        {formatProb(prob)}
      </span>
      {isHere && <span className="quiet small">here</span>}
      {!isHere && onBranch && (
        <button type="button" className="link small" onClick={onBranch}>
          branch<span className="fromhere"> from here</span>
        </button>
      )}
    </li>
  );
}

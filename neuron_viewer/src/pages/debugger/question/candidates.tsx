import type { CaseResult, NextToken } from "@/api/types";
import { Token } from "@/components/token";
import { define } from "@/lib/define";
import { formatProb } from "@/lib/format";

type CandidatesProps = { result: CaseResult; baseline?: CaseResult | undefined };

/** The slot at the prompt's end: how likely the target and the distractor are there. */
export function Candidates({ result, baseline }: CandidatesProps) {
  const listed = result.next_tokens.filter((token) => token.role !== null && token.role !== undefined);
  const order = [...listed].sort((a, b) => rank(a) - rank(b) || b.prob - a.prob).slice(0, 4);
  if (order.length === 0) return null;
  return (
    <span className="slot">
      {order.map((token) => {
        const was = baseline?.next_tokens.find((other) => other.id === token.id);
        return (
          <span key={token.id} className={token.role === "target" ? "cand t" : "cand d"}>
            <Token text={token.text} />
            <span className="num" {...define("prob", { exact: token.prob })}>
              {formatProb(token.prob)}
              {was && <span className="quiet"> was {formatProb(was.prob).replace("%", "")}</span>}
            </span>
          </span>
        );
      })}
    </span>
  );
}

function rank(token: NextToken): number {
  return token.role === "target" ? 0 : 1;
}

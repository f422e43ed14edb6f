import type { NodeTokens } from "@/api/types";
import { Token } from "@/components/token";
import { NONE } from "@/lib/format";

import type { TableRow } from "./table-rows";
import { useNodeTokens } from "./use-node-tokens";

const SHOWN = 3;

/** The stronger side of what the row's write promotes and suppresses: three tokens. */
export function PromotesCell({ row }: { row: TableRow }) {
  const { data, error } = useNodeTokens(row);
  if (error) {
    return (
      <span className="quiet" title={error.message}>
        {NONE}
      </span>
    );
  }
  if (!data) return <span className="pend" />;
  if (writesNothing(data)) return <span className="quiet">{NONE}</span>;
  const { tokens, sign } = strongerSide(data);
  return (
    <>
      <span className={sign === "+" ? "dir pos" : "dir neg"}>{sign}</span>
      {tokens.slice(0, SHOWN).map(({ id, text }, place) => (
        <span key={id}>
          {place > 0 && " "}
          <Token text={text} />
        </span>
      ))}
    </>
  );
}

/** A write of zero moves no token, so that the lists hold whichever come first. */
export function writesNothing({ promotes, suppresses }: NodeTokens): boolean {
  return [...promotes, ...suppresses].every(({ logit }) => logit === 0);
}

function strongerSide({ promotes, suppresses }: NodeTokens) {
  const most = Math.abs(promotes[0]?.logit ?? 0);
  const least = Math.abs(suppresses[0]?.logit ?? 0);
  return least > most ? { tokens: suppresses, sign: "\u2212" } : { tokens: promotes, sign: "+" };
}

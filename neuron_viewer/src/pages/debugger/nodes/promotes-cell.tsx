import type { NodeTokens } from "@/api/types";
import { Token } from "@/components/token";

import { useTable } from "./table-context";
import { nodeInCase, type TableRow } from "./table-rows";
import { useNodeTokens } from "./use-node-tokens";

const SHOWN = 3;

/** The stronger side of what the row's write promotes and suppresses: three tokens. */
export function PromotesCell({ row }: { row: TableRow }) {
  const { loader } = useTable();
  const { data, error } = useNodeTokens(loader, nodeInCase(row, 0));
  if (error)
    return (
      <span className="quiet" title={error.message}>
        {"\u2013"}
      </span>
    );
  if (!data)
    return nodeInCase(row, 0) === null ? (
      <span className="quiet">{"\u2013"}</span>
    ) : (
      <span className="pend" />
    );
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

function strongerSide({ promotes, suppresses }: NodeTokens) {
  const most = Math.abs(promotes[0]?.logit ?? 0);
  const least = Math.abs(suppresses[0]?.logit ?? 0);
  return least > most ? { tokens: suppresses, sign: "\u2212" } : { tokens: promotes, sign: "+" };
}

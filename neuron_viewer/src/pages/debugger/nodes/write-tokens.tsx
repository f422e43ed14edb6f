import type { TokenScore } from "@/api/types";
import { Async } from "@/components/async";
import { Token } from "@/components/token";
import { formatEffect } from "@/lib/format";

import { writesNothing } from "./promotes-cell";
import type { TableRow } from "./table-rows";
import { useNodeTokens } from "./use-node-tokens";

/** Tokens whose logit the row's write raises and lowers most. */
export function WriteTokens({ row }: { row: TableRow }) {
  const query = useNodeTokens(row);
  const whose = row.telling === 1 ? "Right write" : "Write";
  return (
    <Async
      query={query}
      loading={<div className="lists-space" />}
      isEmpty={writesNothing}
      empty="It writes nothing here."
    >
      {({ promotes, suppresses }) => (
        <div className="lists">
          <TokenList name={`${whose} promotes, logits`} tokens={promotes} tone="pos" />
          <TokenList name={`${whose} suppresses, logits`} tokens={suppresses} tone="neg" />
        </div>
      )}
    </Async>
  );
}

function TokenList({ name, tokens, tone }: { name: string; tokens: TokenScore[]; tone: "pos" | "neg" }) {
  return (
    <div>
      <h3>{name}</h3>
      <ul>
        {tokens.map(({ id, text, logit }) => (
          <li key={id}>
            <Token text={text} />
            <span className={`num ${tone}`}>{formatEffect(logit)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

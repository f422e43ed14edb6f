import type { TokenScore } from "@/api/types";
import { Async } from "@/components/async";
import { Token } from "@/components/token";
import { formatEffect } from "@/lib/format";

import { useTable } from "./table-context";
import { nodeInCase, type TableRow } from "./table-rows";
import { useNodeTokens } from "./use-node-tokens";

/** Tokens whose logit the row's write raises and lowers most. */
export function WriteTokens({ row }: { row: TableRow }) {
  const { loader } = useTable();
  const node = nodeInCase(row, 0);
  const query = useNodeTokens(loader, node);
  if (node === null) return <p className="note">The left case has no such token.</p>;
  return (
    <Async query={query} loading={<div className="lists-space" />}>
      {({ promotes, suppresses }) => (
        <div className="lists">
          <TokenList name="Write promotes, logits" tokens={promotes} tone="pos" />
          <TokenList name="Write suppresses, logits" tokens={suppresses} tone="neg" />
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

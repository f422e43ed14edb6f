import { useQuery } from "@tanstack/react-query";

import { latentPairsQuery } from "@/api/queries";
import type { LatentPairsResponse, Token as TokenType } from "@/api/types";
import { Async } from "@/components/async";
import { Token, TokenPair } from "@/components/token";
import { maxAbs } from "@/lib/color";
import { define } from "@/lib/define";
import { formatEffect } from "@/lib/format";
import { parseNode } from "@/lib/node";
import { emptyCase } from "@/lib/question";

import { Strip, StripSpace } from "./prompt-activations";
import { stripTokens } from "./prompt-strip";
import { useTable } from "./table-context";
import { nodeInCase, type TableRow } from "./table-rows";
import { otherCase } from "./use-measured";

const SHOWN = 4;

/** Which tokens, through which heads, make an attention latent's pre-activation. */
export function LatentPairs({ row }: { row: TableRow }) {
  const { view } = useTable();
  const { request, response } = view;
  const at = row.telling;
  const query = useQuery(
    latentPairsQuery({
      case: request.cases[at] ?? emptyCase(),
      node: nodeInCase(row, at) ?? row.node,
      n: SHOWN,
      attention_basis: request.attention_basis,
      other_case: otherCase(request, at),
    }),
  );
  const tokens = response.cases[at]?.tokens ?? [];
  return (
    <>
      <h3 {...define("latent_pairs")}>Pre-activation by token looked at</h3>
      <Async query={query} loading={<StripSpace />}>
        {(pairs) => <Shares pairs={pairs} tokens={tokens} />}
      </Async>
    </>
  );
}

function Shares({ pairs, tokens }: { pairs: LatentPairsResponse; tokens: readonly TokenType[] }) {
  const seen = tokens.slice(0, pairs.by_key.length);
  const tokenAt = (index: number) => ({ text: tokens[index]?.text ?? "", index });
  return (
    <>
      <Strip tokens={stripTokens(seen, pairs.by_key, null)} at={null} max={maxAbs(pairs.by_key)} />
      <ul className="pairs">
        {pairs.pairs.map(({ node, value, key_position }) => {
          const query = parseNode(node)?.position ?? 0;
          return (
            <li key={node}>
              <span className="mono">{node.split("@")[0]}</span>
              <TokenPair from={tokenAt(query)} to={tokenAt(key_position)} />
              <span className="num">{formatEffect(value)}</span>
            </li>
          );
        })}
      </ul>
      <p className="note">
        All pairs and {formatEffect(pairs.rest)} of biases make {formatEffect(pairs.pre_activation)}; strongest at{" "}
        <Token {...tokenAt(strongest(pairs.by_key))} />.
      </p>
    </>
  );
}

function strongest(values: readonly number[]): number {
  const largest = maxAbs(values);
  return Math.max(0, values.findIndex((value) => Math.abs(value) === largest));
}

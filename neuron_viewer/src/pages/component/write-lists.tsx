import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { modelQuery, nodeTokensQuery } from "@/api/queries";
import type { NodeTokensRequest } from "@/api/types";
import { Async } from "@/components/async";
import { Token } from "@/components/token";
import type { Bases } from "@/lib/bases";
import { basesFor } from "@/lib/component-link";
import { emptyCase } from "@/lib/question";
import { useSettled } from "@/lib/use-settled";

import { usePageCoder } from "./page-coder";
import type { TextResult } from "./token-values";
import type { YourTextState } from "./use-your-text";
import { ListPanel } from "./weight-lists";

const SETTLE = 150;
const N_TOKENS = 10;

/** The embeddings and a coder's error write another vector at each token: what the pointed token's write does. */
export function WriteLists({ component, state }: { component: string; state: YourTextState }) {
  const { text, result, shown, query: own } = state;
  const at = useSettled(shown, SETTLE);
  const coder = usePageCoder();
  const { data: model } = useQuery(modelQuery());
  const token = at === null ? undefined : result?.tokens[at];
  const bases = basesFor(component, model?.coders ?? [], coder);
  const request = result && at !== null ? writeRequest(component, text, result, at, bases) : null;
  const query = useQuery({
    ...nodeTokensQuery(request ?? { case: emptyCase(), nodes: [], n: N_TOKENS }),
    enabled: request !== null && model !== undefined && !own.isPlaceholderData,
    placeholderData: keepPreviousData,
    retry: false,
  });
  if (!token || at === null || request === null) return null;
  return (
    <Async query={query}>
      {({ nodes: [found] }) => (
        <ListPanel
          title="Write to the output"
          note={<>at <Token text={token.text} index={at} />{", final norm\u2019s gain, centred"}</>}
          lists={[
            { name: "Promotes", scores: found?.promotes ?? [] },
            { name: "Suppresses", scores: found?.suppresses ?? [] },
          ]}
        />
      )}
    </Async>
  );
}

/** A question needs a target, though a write does not depend on it: any token that can be named by its text. */
export function writeRequest(
  component: string,
  text: string,
  { tokens }: Pick<TextResult, "tokens">,
  at: number,
  bases: Bases,
): NodeTokensRequest | null {
  const target = tokens.find((token) => token.text !== "" && !token.text.includes("\ufffd"));
  if (!target) return null;
  const { mlp_basis, attention_basis } = bases;
  return {
    case: { ...emptyCase(text), target_tokens: [target.text] },
    nodes: [`${component}@${at}`],
    n: N_TOKENS,
    mlp_basis,
    attention_basis,
  };
}

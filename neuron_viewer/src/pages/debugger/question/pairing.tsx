import { useQuery } from "@tanstack/react-query";

import { tokenizeQuery } from "@/api/queries";
import { type QuestionCase, swapTokens } from "@/lib/question";

import type { Side } from "../page-state";
import { TokenFields } from "./token-fields";

type PairingProps = {
  /** Names the prompt, where there are two. */
  side: Side | null;
  spec: QuestionCase;
  /** The field the server refused, if it is one of these. */
  refused: string | null;
  onChange: (spec: QuestionCase) => void;
};

/** Target and distractor of one prompt, and the button that swaps them. */
export function Pairing({ side, spec, refused, onChange }: PairingProps) {
  const { data } = useQuery({ ...tokenizeQuery(spec.prompt), enabled: spec.prompt !== "" });
  const next = spec.position < 0 ? undefined : data?.tokens[spec.position + 1]?.text;
  const context = { before: spec.prompt, next };
  return (
    <span className="pairing">
      {side && <span className="tag">{side}</span>}
      <span className="label">Target</span>
      <TokenFields
        role="target"
        texts={spec.target_tokens}
        {...context}
        refused={refused === "target_tokens"}
        onChange={(target_tokens) => { onChange({ ...spec, target_tokens }); }}
      />
      <button
        type="button"
        className="btn plain swap"
        title="Swap target and distractor (x)"
        aria-label="Swap target and distractor"
        onClick={() => { onChange(swapTokens(spec)); }}
      >
        {"\u21c4"}
      </button>
      <span className="label">Distractor</span>
      <TokenFields
        role="distractor"
        texts={spec.distractor_tokens}
        {...context}
        refused={refused === "distractor_tokens"}
        onChange={(distractor_tokens) => { onChange({ ...spec, distractor_tokens }); }}
      />
    </span>
  );
}

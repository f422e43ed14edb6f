import { Select } from "@/components/select";
import { basisOptions, withBasis } from "@/lib/bases";
import { define } from "@/lib/define";

import type { PageState } from "../page-state";

/** Neurons or heads, or the latents of a coder in their place; shown where there is a coder to choose. */
export function BasisSelects({ page }: { page: PageState }) {
  const { question, actions, model } = page;
  const { mlp, attn, resid } = basisOptions(model.coders);
  const hasMlp = mlp.length > 1 || question.mlp_basis !== "neuron";
  const hasAttn = attn.length > 1 || question.attention_basis !== "head";
  const hasResid = resid.length > 1 || question.resid_basis !== null;
  if (!hasMlp && !hasAttn && !hasResid) return null;
  return (
    <>
      <span className="label" {...define("basis")}>
        Basis
      </span>
      {hasMlp && (
        <Select
          label="MLP basis"
          value={question.mlp_basis}
          options={mlp}
          onChange={(name) => { actions.ask((now) => withBasis(now, "mlp", name)); }}
        />
      )}
      {hasAttn && (
        <Select
          label="Attention basis"
          value={question.attention_basis}
          options={attn}
          onChange={(name) => { actions.ask((now) => withBasis(now, "attn", name)); }}
        />
      )}
      {hasResid && (
        <Select
          label="Residual stream basis"
          value={question.resid_basis ?? ""}
          options={resid}
          onChange={(name) => { actions.ask((now) => withBasis(now, "resid", name)); }}
        />
      )}
    </>
  );
}

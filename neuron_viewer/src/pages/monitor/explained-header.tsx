import { useState } from "react";

import type { InfluenceResponse } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { Select } from "@/components/select";
import { Token } from "@/components/token";
import { hueOf } from "@/lib/color";
import { define } from "@/lib/define";
import { formatEffect, formatProb } from "@/lib/format";

import type { Explained, Of, TokenChoice } from "./monitor-state";

type ExplainedHeaderProps = {
  explained: Explained;
  position: number;
  data: InfluenceResponse | undefined;
  error: Error | null;
  isFetching: boolean;
  onChange: (explained: Explained) => void;
};

const OFS: { value: Of; text: string }[] = [
  { value: "logprob", text: "log-probability" },
  { value: "prob", text: "probability" },
  { value: "logit", text: "logit" },
  { value: "logit_diff", text: "logit difference" },
];

/** Which token is explained, in which terms, and the number that everything below adds up to or changes. */
export function ExplainedHeader({ explained, position, data, error, isFetching, onChange }: ExplainedHeaderProps) {
  const { of } = explained;
  const objective = data?.objective;
  return (
    <section className="panel inf" aria-label="Explained token" aria-busy={isFetching}>
      <header>
        <h2>
          What led to {objective && <Token text={objective.token.text} />} <span className="quiet">at {position}</span>
        </h2>
        <Select label="Explained in" value={of} options={OFS} onChange={(next) => { onChange({ ...explained, of: next }); }} />
        <OtherToken
          label="of the token"
          value={explained.token}
          shown={explained.token === null ? "" : objective?.token.text}
          placeholder="the one there"
          onChange={(token) => { onChange({ ...explained, token }); }}
        />
        {of === "logit_diff" && (
          <OtherToken
            label="less"
            value={explained.distractor}
            shown={explained.distractor === null ? "" : objective?.distractor?.text}
            placeholder="another token"
            onChange={(distractor) => { onChange({ ...explained, distractor }); }}
          />
        )}
        {objective && (
          <b className={`jj ${hueOf(objective.value)}`} {...define(of, { exact: objective.value, unit: objective.unit })}>
            {of === "prob" ? formatProb(objective.value) : formatEffect(objective.value)}
          </b>
        )}
        <span className="end note" role="status">{isFetching && "Computing"}</span>
      </header>
      {error && (
        <div className="pad">
          <ErrorNote error={error} />
        </div>
      )}
    </section>
  );
}

type OtherTokenProps = {
  label: string;
  value: TokenChoice | null;
  /** Its text, where it is known. */
  shown: string | undefined;
  placeholder: string;
  onChange: (token: TokenChoice | null) => void;
};

/** A token as text; most begin with a space, which is typed as it is. */
function OtherToken({ label, value, shown, placeholder, onChange }: OtherTokenProps) {
  const [draft, setDraft] = useState<string | null>(null);
  function settle() {
    if (draft !== null) onChange(draft === "" ? null : draft);
    setDraft(null);
  }
  return (
    <label className="field othertoken">
      {label}
      <input
        className="numfield mono"
        size={13}
        maxLength={200}
        placeholder={placeholder}
        value={draft ?? shown ?? value ?? ""}
        onChange={(event) => { setDraft(event.target.value); }}
        onBlur={settle}
        onKeyDown={(event) => { if (event.key === "Enter") settle(); }}
      />
    </label>
  );
}

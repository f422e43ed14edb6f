import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState, type FormEvent } from "react";

import { writeExplanation, type OwnExplanationRequest } from "@/api/explanations";
import type { Explanation } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { ScoreBar } from "@/components/score-bar";
import { Segments } from "@/components/segments";
import type { Component } from "@/lib/node";

import { usePageCoder } from "../page-coder";
import { Measures } from "./measures";
import { Simulated } from "./simulated";
import { verdict, type Side } from "./sides";

export interface OwnExplanationProps {
  component: Component;
  side: Side;
  /** The explanations that this side has already, best first. */
  rivals: readonly Explanation[];
  onClose: () => void;
}

type Simulator = NonNullable<OwnExplanationRequest["simulator"]>;

const SIMULATORS: { value: Simulator; text: string; title: string }[] = [
  { value: "literal", text: "its own words", title: "Quoted tokens and named classes of words; no language model, no cost" },
  { value: "local", text: "this model", title: "The served model reads it and predicts; no cost, some seconds" },
  { value: "endpoint", text: "an endpoint", title: "The language model of OPENAI_BASE_URL and TDB_LLM_MODEL; it may cost money" },
];
const HINTS: Record<Simulator, string> = {
  literal: "Quote the tokens you mean, as in: fires on \u201c Tuesday\u201d and \u201c Friday\u201d.",
  local: "The served model predicts activations from your sentence. A small model predicts poorly.",
  endpoint: "One request for each held-out excerpt goes to the endpoint, at its price.",
};

/** Write what this side responds to, and see at once how well the sentence predicts it. */
export function OwnExplanation({ component, side, rivals, onClose }: OwnExplanationProps) {
  const client = useQueryClient();
  const coder = usePageCoder();
  const [text, setText] = useState("");
  const [simulator, setSimulator] = useState<Simulator>("literal");
  const score = useMutation({
    mutationFn: () => writeExplanation(component.name, { text: text.trim(), side, simulator }, coder),
    onSuccess: () => client.invalidateQueries({ queryKey: ["record", component.name] }),
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (text.trim() !== "" && !score.isPending) score.mutate();
  }
  return (
    <section className="panel" aria-labelledby="own-title">
      <header>
        <h2 id="own-title">Your explanation of the {side === "positive" ? "+" : "\u2212"} side</h2>
        <span className="end">
          <button type="button" className="btn small plain" onClick={onClose}>
            Close
          </button>
        </span>
      </header>
      <form className="pad ownform" onSubmit={submit}>
        <input
          type="text"
          aria-label="Your explanation"
          autoFocus
          maxLength={1000}
          value={text}
          placeholder={'fires on " Tuesday" and other days'}
          onChange={(event) => {
            setText(event.target.value);
          }}
        />
        <span className="warnrow">
          <span className="label">Predicted by</span>
          <Segments label="Predicted by" value={simulator} options={SIMULATORS} onChange={setSimulator} />
          <button type="submit" className="btn small" disabled={text.trim() === "" || score.isPending}>
            {score.isPending ? "Scoring" : "Score"}
          </button>
          <span className="note">{HINTS[simulator]}</span>
        </span>
        {score.error && <ErrorNote error={score.error} />}
      </form>
      {score.data && (
        <div aria-live="polite">
          <p className="pad ownscore">
            <ScoreBar explanation={score.data.explanation} />
            <span className="mid">{verdict(score.data.explanation, rivals)}</span>
          </p>
          {score.data.problems.map((problem) => (
            <p key={problem} className="pad note">
              {problem}
            </p>
          ))}
          <Measures explanation={score.data.explanation} />
          <Simulated component={component.name} excerpts={score.data.excerpts} />
        </div>
      )}
    </section>
  );
}

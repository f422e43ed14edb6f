import { useState } from "react";

import { emptyCase, type Question } from "@/lib/question";

import type { PageState, Side } from "../page-state";

export type PromptEdit = {
  /** The prompt that is open for editing, if one is. */
  side: Side | null;
  text: string;
  open: (side: Side) => void;
  change: (text: string) => void;
  cancel: () => void;
  /** Ask the question with the new text; without an open edit, ask again. */
  run: () => void;
};

/** Editing keeps the text apart until Run, so that the page goes on showing what was answered. */
export function usePromptEdit({ question, actions, result }: PageState): PromptEdit {
  const [draft, setDraft] = useState<{ side: Side; text: string } | null>(
    question.left.prompt === "" ? { side: "left", text: "" } : null,
  );
  return {
    side: draft?.side ?? null,
    text: draft?.text ?? "",
    open: (side) => {
      setDraft({ side, text: (question[side] ?? question.left).prompt });
    },
    change: (text) => {
      setDraft((now) => now && { ...now, text });
    },
    cancel: () => {
      setDraft(null);
    },
    run: () => {
      if (draft) {
        setDraft(null);
        actions.ask((now) => withPrompt(now, draft.side, draft.text));
      }
      if (!draft || question[draft.side]?.prompt === draft.text) result.run();
    },
  };
}

/** Positions and traces belong to the old tokens; the second prompt asks what the first asks. */
export function withPrompt(question: Question, side: Side, prompt: string): Question {
  const now = question[side];
  if (now?.prompt === prompt) return question;
  const { target_tokens, distractor_tokens, objective } = now ?? question.left;
  const changed = {
    ...emptyCase(prompt),
    target_tokens,
    distractor_tokens,
    objective,
    interventions: now?.interventions ?? [],
  };
  return { ...question, [side]: changed, traces: [] };
}

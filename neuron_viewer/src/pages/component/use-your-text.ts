import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { activationsQuery } from "@/api/queries";
import type { Component } from "@/lib/node";
import { useDraft } from "@/lib/use-draft";

import { usePageCoder } from "./page-coder";
import { peakOf, sharedMaximum, tokenValues } from "./token-values";

export interface Texts {
  text: string;
  onText: (text: string) => void;
  /** The Debugger's prompt, where one was carried over. */
  prompt: string | null;
  /** The dataset's largest value, at which colours are full; null where it is not known. */
  known: number | null;
}

export type YourTextState = ReturnType<typeof useYourText>;

/** The component's values on the text as it is typed, on the Debugger's prompt, and which token is pointed at. */
export function useYourText({ name, kind }: Component, { text, onText, prompt, known }: Texts) {
  const coder = usePageCoder();
  const [draft, setDraft] = useDraft(text, onText);
  const [pointed, setPointed] = useState<number | null>(null);
  const isHead = kind === "attn";
  const query = useQuery({
    ...activationsQuery(name, [text], coder),
    enabled: text !== "",
    placeholderData: keepPreviousData,
  });
  const carried = useQuery({ ...activationsQuery(name, [prompt ?? ""], coder), enabled: Boolean(prompt) });
  const result = text === "" ? undefined : query.data?.results[0];
  const n = result?.tokens.length ?? 0;
  const at = pointed !== null && pointed < n ? pointed : null;
  const from = isHead ? (at ?? n - 1) : null;
  const values = result ? tokenValues(result, from ?? 0) : [];
  return {
    text,
    prompt,
    draft,
    setDraft,
    query,
    carried,
    result,
    isHead,
    /** Whether the dataset gives the scale. */
    isKnown: known !== null,
    maximum: known ?? sharedMaximum(isHead, [result, carried.data?.results[0]]),
    /** Heads: the token whose attention is shown. */
    from,
    values,
    shown: isHead ? from : (at ?? peakOf(values) ?? (n > 0 ? n - 1 : null)),
    setPointed,
  };
}

/** What the steps are made of, from recorded answers: one of a plain prompt, one with its strongest head ablated. */
import type { DebugRequest, DebugResponse, ModelResponse } from "@/api/types";
import { emptyCase, emptyQuestion, type Question, toRequest } from "@/lib/question";
import { plainText } from "@/pages/debugger/tour/prose";
import type { StepContent, TourFacts } from "@/pages/debugger/tour/step-content";
import { strongestHead } from "@/pages/debugger/tour/steps";

import compare from "../fixtures/compare.json";
import debug from "../fixtures/debug.json";
import model from "../fixtures/model.json";

export const PLAIN = debug as unknown as DebugResponse;
export const ABLATED = compare as unknown as DebugResponse;
export const MODEL = model as unknown as ModelResponse;

export const QUESTION: Question = emptyQuestion({
  ...emptyCase("When Mary and John went to the store, John gave a drink to"),
  target_tokens: [" Mary"],
  distractor_tokens: [" John"],
});

export function headOf(response: DebugResponse) {
  const head = strongestHead(response);
  if (!head) throw new Error("No head is listed.");
  return head;
}

export function answer(response: DebugResponse, question = QUESTION): { request: DebugRequest; response: DebugResponse } {
  return { request: toRequest(question), response };
}

export function facts(change: Partial<TourFacts> = {}): TourFacts {
  return {
    question: QUESTION,
    otherExample: null,
    answered: answer(PLAIN, change.question),
    error: null,
    head: strongestHead(PLAIN),
    isHeadUnknown: false,
    isSelected: true,
    writes: null,
    measured: null,
    ...change,
  };
}

export function said({ text }: StepContent): string {
  return text.map(plainText).join("\n");
}

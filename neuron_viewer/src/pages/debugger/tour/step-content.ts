/** A step as the card shows it: a title, sentences, what can be done, and which part of the page it is about. */
import type { DebugRequest, DebugResponse, NodeTokens } from "@/api/types";
import type { Question } from "@/lib/question";

import type { Prose } from "./prose";
import { type Head, isAblated, isTraced, obstacle, type StepName } from "./steps";
import {
  afterAblation,
  afterTrace,
  answerText,
  beforeAblation,
  beforeTrace,
  headText,
  questionText,
} from "./texts";

/** The parts of the page that a step may be about. */
export type Ring = "slot" | "parts" | "head" | "nodes" | "figures" | "trace";
export type StepAct = "load" | "clear" | "select" | "ablate" | "trace";
/** The ways on from a step. */
export type StepWays = { act: (act: StepAct) => void; go: (by: 1 | -1) => void; close: () => void };
export type StepAction = { act: StepAct; label: string };

export type TourFacts = {
  question: Question;
  /** The name of the first example, where another question is asked. */
  otherExample: string | null;
  /** The answer to the question as it is asked now. */
  answered: { request: DebugRequest; response: DebugResponse } | null;
  error: string | null;
  /** The strongest head of the question without edits or traces; null where none is listed. */
  head: Head | null;
  /** Whether the answer that would name the head is still to come. */
  isHeadUnknown: boolean;
  isSelected: boolean;
  writes: NodeTokens | null;
  measured: number | null;
};

export type StepContent = {
  title: string;
  ring: Ring;
  text: Prose[];
  /** Done on the way to the next step. */
  action: StepAction | null;
  /** Can be done, and is in nobody's way. */
  offer: StepAction | null;
};

const TITLES: Record<StepName, string> = {
  question: "The question",
  answer: "The answer",
  heads: "The strongest head",
  ablate: "Ablate it",
  trace: "Trace it",
};
const WAITING: Prose[] = [["Waiting for the answer."]];

export function stepContent(step: StepName, facts: TourFacts): StepContent {
  const { question, answered, error, otherExample } = facts;
  const title = TITLES[step];
  const load: StepAction | null = otherExample === null ? null : { act: "load", label: `Load \u201c${otherExample}\u201d` };
  const saying = (ring: Ring, text: Prose[], more: Partial<StepContent> = {}): StepContent => ({
    title,
    ring,
    text,
    action: null,
    offer: null,
    ...more,
  });
  if (error !== null) {
    return saying("slot", [[`There is no answer to this question: ${error}`]], { offer: load });
  }
  const result = answered?.response.cases[0];
  if (step === "question") {
    const text = result ? questionText(question, result) : WAITING;
    const advice: Prose[] = load ? [["The tour is written for the first example; this is another question."]] : [];
    return saying("slot", [...text, ...advice], { offer: load });
  }
  if (step === "answer") return saying("parts", result ? answerText(question, result) : WAITING);
  return followHead(step, facts, saying, load);
}

type Saying = (ring: Ring, text: Prose[], more?: Partial<StepContent>) => StepContent;

function followHead(step: StepName, facts: TourFacts, saying: Saying, load: StepAction | null): StepContent {
  const { question, answered, head, isHeadUnknown } = facts;
  const inTheWay = obstacle(question, head);
  if (isHeadUnknown) return saying("nodes", WAITING);
  if (inTheWay !== null) {
    const offer: StepAction = { act: "clear", label: "Ask without it" };
    return saying("nodes", [[`This step follows one head in one prompt, and ${inTheWay}.`]], { offer });
  }
  if (head === null) {
    return saying("nodes", [["No attention head is listed for this question, so there is none to follow here."]], { offer: load });
  }
  const response = answered?.response ?? null;
  if (step === "heads") {
    const text = headText(head, facts.writes, facts.measured);
    if (facts.isSelected) return saying("head", text);
    return saying("nodes", text, { offer: { act: "select", label: "Show its row" } });
  }
  if (step === "ablate") {
    if (isAblated(question, head)) return saying("figures", response ? afterAblation(head, response) : WAITING);
    const action: StepAction = { act: "ablate", label: `Ablate ${head.component} everywhere` };
    return saying("figures", beforeAblation(head), { action });
  }
  if (isTraced(question, head)) return saying("trace", response ? afterTrace(head, response) : WAITING);
  const text = beforeTrace(head, isAblated(question, head));
  return saying("head", text, { action: { act: "trace", label: "Trace it through its query" } });
}

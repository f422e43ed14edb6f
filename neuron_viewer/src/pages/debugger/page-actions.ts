/** Reads and writes the page's state in the URL. Edits of the question push; how it is looked at replaces. */
import type { NavigateFunction } from "react-router";

import type { InterventionSpec, ModelResponse, NodeRow, TraceSpec } from "@/api/types";
import { componentPath } from "@/lib/component-link";
import type { Question, QuestionCase } from "@/lib/question";
import { readQuestion, readUi, writeState } from "@/lib/url-state";

import type { DebugActions, DebugUiState } from "./view";

export type PageActions = DebugActions & {
  /** A new question, as a history entry that `undo` returns from. */
  ask(change: (question: Question) => Question): void;
  editIntervention(place: number, spec: InterventionSpec | null): void;
  /** Keep the first `depth` levels of the trace. */
  keepTrace(depth: number): void;
  undo(): void;
  redo(): void;
};

/** Marks a history entry that an edit made, so that undo never leaves the page. */
type EntryState = { edited: true } | null;

export function createActions(
  navigate: NavigateFunction,
  rowOf: (node: string) => NodeRow | undefined,
  { coders }: Pick<ModelResponse, "coders">,
): PageActions {
  function ask(change: (question: Question) => Question) {
    const { question, ui } = current();
    if (!question) return;
    const next = change(question);
    // A node of the old trace or prompt may not exist in the new one.
    const keeps = next.left.prompt === question.left.prompt;
    const state = writeState(next, keeps ? ui : { ...ui, selected: null }).toString();
    if (state === writeState(question, ui).toString()) return;
    void navigate({ search: state }, { state: { edited: true } satisfies EntryState });
  }
  function look(change: (ui: DebugUiState) => DebugUiState) {
    const { question, ui } = current();
    if (!question) return;
    const search = writeState(question, change(ui)).toString();
    void navigate({ search }, { replace: true, state: entryState() });
  }
  function askLeft(change: Partial<QuestionCase>) {
    ask((question) => ({ ...question, left: { ...question.left, ...change } }));
  }

  return {
    ask,
    addIntervention: (spec) => {
      ask((question) => withInterventions(question, (list) => [...list, spec]));
    },
    editIntervention: (place, spec) => {
      ask((question) =>
        withInterventions(question, (list) => list.toSpliced(place, 1, ...(spec ? [spec] : []))),
      );
    },
    trace: (spec) => {
      ask((question) => ({ ...question, traces: [...question.traces, traceLevel(spec, rowOf)] }));
    },
    keepTrace: (depth) => {
      ask((question) => ({ ...question, traces: question.traces.slice(0, depth) }));
    },
    setTarget: (text) => {
      askLeft({ target_tokens: text === "" ? [] : [text] });
    },
    setDistractor: (text) => {
      askLeft({ distractor_tokens: text === "" ? [] : [text] });
    },
    setPosition: (position) => {
      askLeft({ position });
    },
    setTopK: (top_k) => {
      ask((question) => ({ ...question, top_k }));
    },
    select: (selected) => {
      look((ui) => ({ ...ui, selected }));
    },
    setFilters: (patch) => {
      look((ui) => ({ ...ui, filters: { ...ui.filters, ...patch } }));
    },
    setSort: (sort) => {
      look((ui) => ({ ...ui, sort }));
    },
    openComponent: (component) => {
      void navigate(componentPath(component, window.location.search, coders));
    },
    undo: () => {
      if (entryState()) void navigate(-1);
    },
    redo: () => {
      void navigate(1);
    },
  };
}

/** The URL is read at the moment of the act, so that two acts in one tick build on each other. */
function current() {
  const params = new URLSearchParams(window.location.search);
  return { question: readQuestion(params), ui: readUi(params) };
}

function entryState(): EntryState {
  const state: unknown = window.history.state;
  const user = typeof state === "object" && state !== null && "usr" in state ? state.usr : null;
  return user ? { edited: true } : null;
}

function withInterventions(
  question: Question,
  change: (list: InterventionSpec[]) => InterventionSpec[],
): Question {
  const { left } = question;
  return { ...question, left: { ...left, interventions: change(left.interventions) } };
}

/** What judges a value trace is the level before it on the trace line, so only the node and its way are kept. */
function traceLevel(spec: TraceSpec, rowOf: (node: string) => NodeRow | undefined) {
  const other = rowOf(spec.node)?.case_nodes[1] ?? null;
  const otherNode = other === spec.node ? null : other;
  return { node: spec.node, through: spec.through ?? null, otherNode };
}

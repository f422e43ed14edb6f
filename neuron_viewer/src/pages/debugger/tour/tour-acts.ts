/** What the buttons of the card do, through the page's own actions. */
import type { ModelResponse } from "@/api/types";
import { DEFAULT_SORT, NO_FILTERS } from "@/lib/url-state";

import type { PageActions } from "../page-actions";
import type { StepAct } from "./step-content";
import { ablationOf, type Head, plainQuestion, questionAt, type StepName, tourQuestion, traceOf } from "./steps";

export function act(name: StepAct, actions: PageActions, model: ModelResponse, head: Head | null): void {
  if (name === "load") actions.ask((now) => tourQuestion(model, now) ?? now);
  else if (name === "clear") actions.ask((now) => ({ ...plainQuestion(now), right: null }));
  else if (!head) return;
  else if (name === "select") selectHead(actions, head);
  else if (name === "ablate") actions.addIntervention(ablationOf(head));
  else actions.ask((now) => ({ ...plainQuestion(now), traces: [traceOf(head)] }));
}

/** The question a step starts from; on the third its row is shown as well. */
export function enter(step: StepName, actions: PageActions, head: Head | null): void {
  actions.ask((now) => questionAt(step, now, head));
  if (step === "heads" && head) selectHead(actions, head);
}

function selectHead(actions: PageActions, head: Head): void {
  actions.setFilters(NO_FILTERS);
  actions.setSort(DEFAULT_SORT);
  actions.select(head.node);
}

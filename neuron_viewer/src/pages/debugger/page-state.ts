/** What the page's own parts (question, answer, trace line, export) are drawn from. */
import type { ModelResponse } from "@/api/types";
import type { Question } from "@/lib/question";

import type { PageActions } from "./page-actions";
import type { Result } from "./use-result";
import type { DebugUiState } from "./view";

export type PageState = {
  model: ModelResponse;
  question: Question;
  ui: DebugUiState;
  result: Result;
  actions: PageActions;
};

export type Side = "left" | "right";

/** The way back to the Debugger, with the question that was carried here. */
import { emptyCase, emptyQuestion, type Question } from "./question";
import { DEFAULT_UI, NO_FILTERS, readQuestion, readUi, writeState } from "./url-state";

/**
 * Search string of the Debugger with the rows of this component in view, or with the component ablated.
 * Empty where no question was carried and none is given to fall back on, so that the Debugger starts with its example.
 */
export function debuggerSearch(
  search: string,
  component: string,
  edit: "ablate" | null,
  fallback: Question | null = null,
): string {
  const params = new URLSearchParams(search);
  const question = carriedQuestion(params) ?? fallback;
  if (!question) return "";
  if (edit === null) {
    const ui = { ...readUi(params), selected: null, filters: { ...NO_FILTERS, text: component } };
    return writeState(question, ui).toString();
  }
  const { left } = question;
  const ablation = { kind: edit, component, positions: null, key_positions: null, value: "zero" } as const;
  const isThere = left.interventions.some((one) => one.kind === edit && one.component === component);
  const interventions = isThere ? left.interventions : [...left.interventions, ablation];
  return writeState({ ...question, left: { ...left, interventions } }, DEFAULT_UI).toString();
}

/** The whole question where the Debugger sent it, else one made of `?prompt=` alone. */
function carriedQuestion(params: URLSearchParams): Question | null {
  const prompt = params.get("prompt");
  return readQuestion(params) ?? (prompt === null ? null : emptyQuestion(emptyCase(prompt)));
}

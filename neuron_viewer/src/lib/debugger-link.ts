/** The way back to the Debugger, with the question that was carried here. */
import { type Coder, coderOf, withBasis } from "./bases";
import { parseComponent } from "./node";
import { emptyCase, emptyQuestion, type Question } from "./question";
import { DEFAULT_UI, NO_FILTERS, readQuestion, readUi, writeState } from "./url-state";

/**
 * Search string of the Debugger with the rows of this component in view, or with the component ablated. A latent is
 * there only in the basis of its coder, which is chosen then: the one that `?coder=` names, else the first that has it.
 * Empty where no question was carried and none is given to fall back on, so that the Debugger starts with its example.
 */
export function debuggerSearch(
  search: string,
  component: string,
  edit: "ablate" | null,
  { coders }: { coders: readonly Pick<Coder, "name" | "site" | "layers">[] },
  fallback: Question | null = null,
): string {
  const params = new URLSearchParams(search);
  const carried = carriedQuestion(params) ?? fallback;
  if (!carried) return "";
  const question = inItsBasis(carried, component, coders, params.get("coder"));
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

function inItsBasis(
  question: Question,
  name: string,
  coders: readonly Pick<Coder, "name" | "site" | "layers">[],
  wanted: string | null,
): Question {
  const component = parseComponent(name);
  const coder = component && coderOf(component, coders, wanted);
  if (!component?.stream || !coder) return question;
  const chosen = { mlp: question.mlp_basis, attn: question.attention_basis, resid: question.resid_basis };
  return chosen[component.stream] === coder.name ? question : withBasis(question, component.stream, coder.name);
}

/** The whole question where the Debugger sent it, else one made of `?prompt=` alone. */
function carriedQuestion(params: URLSearchParams): Question | null {
  const prompt = params.get("prompt");
  return readQuestion(params) ?? (prompt === null ? null : emptyQuestion(emptyCase(prompt)));
}

import { textOf, type Excerpt } from "@/lib/excerpt";
import { emptyCase, emptyQuestion } from "@/lib/question";
import { DEFAULT_UI, NO_FILTERS, writeState } from "@/lib/url-state";

/**
 * The Debugger's search for what this component did here: the excerpt up to its peak, the token that really came
 * next as the target, and the component's rows in view. Null where nothing comes before or after.
 */
export function excerptQuestion(excerpt: Excerpt, component: string): string | null {
  const last = Math.max(excerpt.peak, excerpt.from ?? 0);
  const target = excerpt.tokens[last + 1];
  const prompt = textOf({ tokens: excerpt.tokens.slice(0, last + 1) });
  if (target === undefined || prompt.trim() === "") return null;
  const question = emptyQuestion({ ...emptyCase(prompt), target_tokens: [target] });
  return writeState(question, { ...DEFAULT_UI, filters: { ...NO_FILTERS, text: component } }).toString();
}

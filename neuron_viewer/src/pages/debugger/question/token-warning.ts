/** Why a target or distractor is probably not what was meant, and the one-click fix. */
export type TokenWarning = {
  message: string;
  /** Pieces to show after the message, as tokens. */
  parts: string[];
  /** The text to use instead, where there is one. */
  fix: string | null;
};

/**
 * `tokens` is how the model splits `text`; `before` is the text the token would follow, and `next` the prompt's own
 * next token where the position is not the last.
 */
export function tokenWarning(
  text: string,
  tokens: string[],
  before: string,
  next: string | undefined,
): TokenWarning | null {
  if (text === "") return null;
  if (expectsSpace(before, next) && /^[\p{L}\p{N}]/u.test(text)) {
    const fix = ` ${text}`;
    return { message: "No leading space: the model writes", parts: [fix], fix };
  }
  if (tokens.length > 1) return { message: "Several tokens:", parts: tokens, fix: tokens[0] ?? null };
  return null;
}

/** Whether a word that follows carries a space of its own, as it does in most tokenizers. */
function expectsSpace(before: string, next: string | undefined): boolean {
  if (next !== undefined) return /^\s/.test(next);
  return /[\p{L}\p{N},.;:!?]$/u.test(before) && !CLOSE_WRITTEN.test(before);
}

/** Scripts that put no spaces between words. */
const CLOSE_WRITTEN = /[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}]$/u;

/** A prompt that ends in a space asks for a token without one, which is rarely what is meant. */
export function endsInSpace(prompt: string): boolean {
  return / $/.test(prompt);
}

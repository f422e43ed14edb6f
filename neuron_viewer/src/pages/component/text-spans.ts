/** Where each token lies in the text that was typed. */
import type { Token } from "@/api/types";

export interface TextSpan {
  text: string;
  /** The token it belongs to; null for text that has no tokens yet. */
  token: number | null;
}

const FAR = 24;

/**
 * Cut `text` at the tokens' edges. Tokens that are not in the text (a start mark, the bytes of one character
 * split in several) take no characters, or those before the next token that is found. Text past the last token,
 * or past an edit, belongs to none.
 */
export function textSpans(text: string, tokens: readonly Pick<Token, "text">[]): TextSpan[] {
  const spans: TextSpan[] = [];
  let at = 0;
  let waiting: number | null = null;
  for (const [index, token] of tokens.entries()) {
    const found = token.text === "" ? -1 : text.indexOf(token.text, at);
    const limit: number = waiting === null ? at : at + FAR;
    if (found < 0 || found > limit) {
      waiting = index;
      continue;
    }
    if (found > at) spans.push({ text: text.slice(at, found), token: waiting });
    spans.push({ text: token.text, token: index });
    at = found + token.text.length;
    waiting = null;
  }
  if (at < text.length)
    spans.push({ text: text.slice(at), token: isWhole(text, at, tokens) ? waiting : null });
  return spans;
}

/** Whether what is left is the end of the last character, and not text typed since. */
function isWhole(text: string, at: number, tokens: readonly Pick<Token, "text">[]): boolean {
  const last = tokens.at(-1)?.text ?? "";
  return last.includes("\ufffd") && text.length - at <= 4;
}

/** The token that holds the character at `offset`; at an edge, the one before. */
export function tokenAtOffset(spans: readonly TextSpan[], offset: number): number | null {
  let end = 0;
  for (const span of spans) {
    end += span.text.length;
    if (offset <= end && span.token !== null) return span.token;
  }
  return null;
}

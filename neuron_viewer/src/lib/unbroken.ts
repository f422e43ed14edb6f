/** A quoted token, as in ' on': the quote opens after a space or bracket, and closes before a space, stop or the end. */
const QUOTED = /(?<![^\s(])'[^\n]+?'(?=[\s,;.:)]|$)/g;

/** An explanation whose quoted tokens are not broken at the end of a line: a leading space is part of a token. */
export function unbroken(text: string): string {
  return text.replace(QUOTED, (quoted) => quoted.replaceAll(" ", "\u00a0"));
}

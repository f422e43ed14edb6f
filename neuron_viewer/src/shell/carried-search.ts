/** The Debugger's question goes along to the other pages, so that the way back leads to it. */
export function carriedSearch(search: string): string {
  return new URLSearchParams(search).has("p") ? search : "";
}

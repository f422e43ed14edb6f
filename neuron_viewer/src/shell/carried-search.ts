/** The Debugger's question goes along to the other pages, so that the way back leads to it. */
export function carriedSearch(search: string): string {
  const params = new URLSearchParams(search);
  if (!params.has("p")) return "";
  if (!params.has("coder")) return search;
  params.delete("coder"); // of the component that is left behind
  return `?${params.toString()}`;
}

/** Requests that index.html sent before this code was there; each is handed over once. */
declare global {
  interface Window {
    early?: Map<string, Promise<Response>>;
  }
}

/** The answer that is already on its way, if this is what was asked for. */
export function takeEarly({ method, url }: Request): Promise<Response> | undefined {
  if (method !== "GET") return undefined;
  const answer = window.early?.get(url);
  window.early?.delete(url);
  return answer;
}

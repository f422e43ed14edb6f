/** The generated client, and how its answers become data or an `ApiError`. */
import createClient from "openapi-fetch";

import type { paths } from "./client/schema";
import { takeEarly } from "./early";
import { errorOf, LOST_SERVER } from "./errors";

export const client = createClient<paths>({
  baseUrl: window.location.origin,
  fetch: (request) => takeEarly(request) ?? globalThis.fetch(request),
});

type Answer<T> = { data?: T | undefined; error?: unknown; response: Response };

/** The body of a call that went well; else throws an `ApiError`. Aborts pass through untouched. */
export async function unwrap<T>(call: Promise<Answer<T>>): Promise<T> {
  let answer: Answer<T>;
  try {
    answer = await call;
  } catch (cause) {
    if (cause instanceof DOMException && cause.name === "AbortError") throw cause;
    throw LOST_SERVER;
  }
  if (answer.data === undefined) throw errorOf(answer.response.status, answer.error);
  return answer.data;
}

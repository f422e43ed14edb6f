/** Answers that stream: a POST whose reply is server-sent events with JSON in them. */
import { readEvents } from "@/lib/sse";

import { errorOf, LOST_SERVER } from "./errors";

export type JsonEvent = { event: string; data: unknown };

/** Events as they come; throws an `ApiError` for an error before or within the stream, ends when `signal` aborts. */
export async function* postEvents(path: string, body: unknown, signal: AbortSignal): AsyncGenerator<JsonEvent> {
  const response = await fetch(path, {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(body),
    signal,
  }).catch((cause: unknown) => {
    throw signal.aborted ? cause : LOST_SERVER;
  });
  if (!response.ok || !response.body) {
    throw errorOf(response.status, await response.json().catch(() => null));
  }
  for await (const { event, data } of readEvents(response.body)) {
    const read: unknown = JSON.parse(data);
    if (event === "error") throw errorOf(500, read);
    yield { event, data: read };
  }
}

import { describe, expect, it } from "vitest";

import { parseEvent, readEvents, type ServerEvent } from "./sse";

async function read(chunks: string[]): Promise<ServerEvent[]> {
  const encoder = new TextEncoder();
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      for (const chunk of chunks) controller.enqueue(encoder.encode(chunk));
      controller.close();
    },
  });
  const events: ServerEvent[] = [];
  for await (const event of readEvents(body)) events.push(event);
  return events;
}

describe("server-sent events", () => {
  it("puts together what arrives in pieces, with either line end", async () => {
    const text = 'event: effect\r\ndata: {"a": 1}\r\n\r\n: ping\n\ndata: two\ndata: lines\n\n';
    const wanted = [
      { event: "effect", data: '{"a": 1}' },
      { event: "message", data: "two\nlines" },
    ];
    expect(await read([text])).toEqual(wanted);
    expect(await read([...text])).toEqual(wanted);
  });

  it("ignores a block without data", () => {
    expect(parseEvent(": keep-alive")).toBeNull();
  });
});

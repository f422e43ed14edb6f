/** A message goes out with the conversation as it is shown, however soon after a reply it is sent. */
import { QueryClientProvider } from "@tanstack/react-query";
import { act, renderHook, waitFor } from "@testing-library/react";
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";
import type { ReactNode } from "react";
import { BrowserRouter } from "react-router";
import { afterAll, afterEach, beforeAll, beforeEach, expect, it } from "vitest";

import { createQueryClient } from "@/api/query-client";
import type { Conversation } from "@/api/types";
import { useConversation } from "@/pages/monitor/conversation/use-conversation";
import { useMonitor } from "@/pages/monitor/use-monitor";

const REPLY = 7;
const generated: Conversation[] = [];
/** The reading of a reply waits for this. */
let gate = gated();

function gated() {
  let open = () => {};
  const opened = new Promise<void>((resolve) => { open = resolve; });
  return { open, opened };
}

const server = setupServer(
  http.post("*/api/monitor/tokens", async ({ request }) => {
    const { messages, prefix_tokens: ids } = (await request.json()) as Conversation;
    if (ids.length > 0) await gate.opened;
    if (ids.includes(REPLY + 1)) {
      return HttpResponse.json({ error: "failed", message: "No reading.", hint: "" }, { status: 422 });
    }
    const said = (messages ?? []).map(({ content }, id) => statistics(id, content, "user"));
    const tokens = [...said, ...ids.map((id) => statistics(id, `reply ${id}`, "reply"))];
    return HttpResponse.json({ tokens, next: [], reply: ids.map((id) => `reply ${id}`).join("") });
  }),
  http.post("*/api/generate", async ({ request }) => {
    const body = (await request.json()) as Conversation;
    generated.push(body);
    const token = { ...statistics(REPLY, `reply ${REPLY}`, "reply"), position: body.messages?.length ?? 0 };
    return new HttpResponse(`event: token\ndata: ${JSON.stringify(token)}\n\nevent: done\ndata: {}\n\n`, {
      headers: { "Content-Type": "text/event-stream" },
    });
  }),
);

function statistics(id: number, text: string, role: string) {
  return { id, text, role, message: null, logprob: -1, rank: 0, top: [] };
}

function talk(search: string) {
  window.history.replaceState(null, "", `/monitor${search}`);
  const client = createQueryClient();
  return renderHook(() => useConversation(useMonitor(true), true), {
    wrapper: ({ children }: { children: ReactNode }) => (
      <QueryClientProvider client={client}>
        <BrowserRouter>{children}</BrowserRouter>
      </QueryClientProvider>
    ),
  }).result;
}

beforeAll(() => { server.listen(); });
beforeEach(() => {
  generated.length = 0;
  gate = gated();
});
afterEach(() => { server.resetHandlers(); });
afterAll(() => { server.close(); });

it("waits for the text of a reply that has just ended", async () => {
  const now = talk("");
  await act(() => now.current.send("one"));
  await waitFor(() => {
    expect(now.current.isWriting).toBe(false);
    expect(now.current.tokens.map(({ text }) => text)).toContain(`reply ${REPLY}`);
  });
  let second = Promise.resolve();
  act(() => { second = now.current.send("two"); });
  gate.open();
  await act(() => second);
  await waitFor(() => { expect(generated).toHaveLength(2); });
  expect(generated[1]?.messages?.map(({ role, content }) => `${role} ${content}`)).toEqual([
    "user one",
    `assistant reply ${REPLY}`,
    "user two",
  ]);
  expect(generated[1]?.prefix_tokens).toEqual([]);
});

it("sends nothing where the reply cannot be read", async () => {
  gate.open();
  const now = talk(`?u=one&r=${REPLY + 1}`);
  await expect(now.current.send("two")).rejects.toThrow("No reading.");
  expect(generated).toEqual([]);
});

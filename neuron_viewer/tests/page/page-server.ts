/** The server as the page's unit tests know it: fixtures, and a record of what was asked. */
import { delay, http, HttpResponse } from "msw";
import { setupServer } from "msw/node";

import type { DebugRequest } from "@/api/types";

import compare from "../fixtures/compare.json";
import debug from "../fixtures/debug.json";
import model from "../fixtures/model.json";

export const asked: DebugRequest[] = [];
/** How the next questions are answered: by the fixture, by an error, or not within the test. */
export const mood: { answer: "fixture" | "error" | "never" } = { answer: "fixture" };

/** Words with their leading space, as most tokenizers cut them; long ones in two. */
function tokensOf(text: string) {
  const words = text.match(/ ?[^ ]+| /g) ?? [];
  return words
    .flatMap((word) => (word.length > 8 ? [word.slice(0, 5), word.slice(5)] : [word]))
    .map((piece, id) => ({ id, text: piece }));
}

export const pageServer = setupServer(
  http.get("*/api/health", () => HttpResponse.json({ status: "ok", model: "m", busy: false, queued: 0, data_version: 0 })),
  http.get("*/api/model", () => HttpResponse.json(model)),
  http.post("*/api/tokenize", async ({ request }) => {
    const { text } = (await request.json()) as { text: string };
    return HttpResponse.json({ tokens: tokensOf(text) });
  }),
  http.post("*/api/debug", async ({ request }) => {
    const body = (await request.json()) as DebugRequest;
    asked.push(body);
    if (mood.answer === "never") await delay("infinite");
    if (mood.answer === "error") {
      return HttpResponse.json(
        { error: "invalid_request", message: "cases[0].target_tokens[0]: ' x' is 2 tokens.", hint: "Give one." },
        { status: 422 },
      );
    }
    return HttpResponse.json(body.cases.length > 1 ? compare : debug);
  }),
  http.all("*", () => new HttpResponse(null, { status: 404 })),
);

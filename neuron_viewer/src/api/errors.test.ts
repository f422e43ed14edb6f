import { expect, it } from "vitest";

import { ApiError, errorOf, LOST_SERVER } from "./errors";

it.each([
  ["cases[1].target_tokens[0]: ' x y' is 2 tokens", { side: 1, name: "target_tokens", place: 0 }, "' x y' is 2 tokens"],
  ["cases[0].interventions[2].component: no layer 9", { side: 0, name: "interventions", place: 2 }, "no layer 9"],
  ["cases[0].position: out of range", { side: 0, name: "position", place: null }, "out of range"],
  ["The server is busy: wait.", null, "The server is busy: wait."],
])("reads the field of %j", (message, field, said) => {
  const error = new ApiError(422, "invalid_request", message, "");
  expect(error.field).toEqual(field);
  expect(error.said).toBe(said);
});

it("knows a proxy that found no server, and an answer that is no JSON", () => {
  expect(errorOf(502, "<html>")).toBe(LOST_SERVER);
  expect(errorOf(500, null)).toMatchObject({ status: 500, isLost: false });
  expect(errorOf(422, { error: "x", message: "m", hint: "h" })).toMatchObject({ code: "x", hint: "h" });
});

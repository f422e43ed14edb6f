import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { fireEvent, render, screen, waitFor } from "@testing-library/react";
import { afterEach, expect, it, vi } from "vitest";

import type { Explanation } from "@/api/types";
import { DeleteButton } from "@/pages/component/explanation/delete-button";

const own: Explanation = {
  id: "1:7",
  text: "fires on <b>",
  side: "positive",
  score: 0.5,
  scores: {},
  measures: {},
  explainer: "human:literal",
  created: "2025-01-01T00:00:00Z",
};

afterEach(() => {
  vi.unstubAllGlobals();
});

function shown(explanation: Explanation): string[] {
  const asked: string[] = [];
  vi.stubGlobal("fetch", (request: Request) => {
    asked.push(`${request.method} ${decodeURIComponent(new URL(request.url).pathname)}`);
    return Promise.resolve(new Response(null, { status: 204 }));
  });
  render(
    <QueryClientProvider client={new QueryClient()}>
      <DeleteButton component="mlp_L0_1" explanation={explanation} />
    </QueryClientProvider>,
  );
  return asked;
}

it("deletes an explanation that somebody wrote", async () => {
  const asked = shown(own);
  fireEvent.click(screen.getByRole("button", { name: "Delete: fires on <b>" }));
  await waitFor(() => {
    expect(asked).toEqual(["DELETE /api/components/mlp_L0_1/explanations/1:7"]);
  });
  expect(screen.queryByRole("alert")).toBeNull();
});

it("is not offered for what a rule or a model said", () => {
  shown({ ...own, explainer: "trigger_graph" });
  expect(screen.queryByRole("button")).toBeNull();
});

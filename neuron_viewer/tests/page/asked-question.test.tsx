import { QueryClientProvider } from "@tanstack/react-query";
import { configure, fireEvent, render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { BrowserRouter } from "react-router";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { createQueryClient } from "@/api/query-client";
import { DebuggerPage } from "@/pages/debugger/debugger-page";

import { asked, mood, pageServer } from "./page-server";

// The panels of the answer have tests of their own.
vi.mock("@/pages/debugger/nodes/node-panel", () => ({ NodePanel: () => null }));
vi.mock("@/pages/debugger/rail/rail", () => ({ Rail: () => null }));

beforeAll(() => {
  configure({ asyncUtilTimeout: 8_000 });
  pageServer.listen();
  vi.stubGlobal("ResizeObserver", class { observe() {} unobserve() {} disconnect() {} });
});
beforeEach(() => {
  asked.length = 0;
  mood.answer = "fixture";
});
afterEach(() => {
  pageServer.resetHandlers();
});
afterAll(() => {
  pageServer.close();
});

const PROMPT = "When Mary and John went to the store, John gave a drink to";

function open(search: string) {
  window.history.replaceState(null, "", `/${search}`);
  return render(
    <QueryClientProvider client={createQueryClient()}>
      <BrowserRouter>
        <DebuggerPage />
      </BrowserRouter>
    </QueryClientProvider>,
  );
}
async function figure(text: string) {
  return waitFor(() => {
    const answer = screen.getByRole("region", { name: "Answer" });
    expect(answer.querySelector(".big")).toHaveTextContent(text);
    return answer;
  });
}

describe("the first load", { timeout: 30_000 }, () => {
  it("asks the model's first example and writes it in the URL", async () => {
    open("");
    const answer = await figure("+6.12");
    expect(asked[0]?.cases).toHaveLength(1);
    expect(asked[0]?.cases[0]).toMatchObject({ prompt: PROMPT, target_tokens: [" Mary"] });
    expect(new URLSearchParams(window.location.search).get("p")).toBe(PROMPT);
    expect(within(answer).getByText("equals the objective")).toBeInTheDocument();
  });
});

describe("a question", { timeout: 30_000 }, () => {
  const search = `?${new URLSearchParams({ p: PROMPT, t: " Mary", d: " John" }).toString()}`;

  it("is sent beside itself when it is edited, and its figures are left, difference, right", async () => {
    open(`${search}&i=ablate+attn_L23_3+zero`);
    await figure("+3.08");
    expect(asked[0]?.cases.map((spec) => spec.interventions.length)).toEqual([1, 0]);
    expect(screen.getByText("left: ablated")).toBeInTheDocument();
    expect(screen.getByText("\u22123.04")).toBeInTheDocument();
  });

  it("keeps its last answer under an error, marked as such, with the way back", async () => {
    const user = userEvent.setup();
    open(search);
    await figure("+6.12");
    mood.answer = "error";
    await user.click(screen.getByRole("button", { name: "Swap target and distractor" }));
    const error = await screen.findByRole("region", { name: "Error" });
    expect(error).toHaveTextContent("Target: ' x' is 2 tokens.");
    expect(error).toHaveTextContent("Give one.");
    const answer = await figure("+6.12");
    expect(answer.querySelector(".stale")).not.toBeNull();
    // The figure is still that of the question it answers.
    expect(answer.querySelector(".cap")).toHaveTextContent("\u00b7Mary over \u00b7John");
    mood.answer = "fixture";
    await user.click(within(error).getByRole("button", { name: "Back to the last question" }));
    await waitFor(() => {
      expect(screen.queryByRole("region", { name: "Error" })).toBeNull();
    });
  });

  it("can be cancelled once it takes a while", async () => {
    const user = userEvent.setup();
    mood.answer = "never";
    open(search);
    await user.click(await screen.findByRole("button", { name: "Cancel" }));
    await waitFor(() => {
      expect(screen.queryByText(/Computing/)).toBeNull();
    });
  });

  it("moves its position by arrow keys, and names the last token as such", async () => {
    open(search);
    await figure("+6.12");
    const row = screen.getByRole("group", { name: "Prompt" });
    fireEvent.keyDown(within(row).getByRole("button", { pressed: true }), { key: "ArrowLeft" });
    await waitFor(() => {
      expect(asked.at(-1)?.cases[0]?.position).toBe(12);
    });
    fireEvent.keyDown(within(row).getByRole("button", { pressed: true }), { key: "ArrowRight" });
    await waitFor(() => {
      expect(window.location.search).not.toContain("at=");
    });
  });

  it("takes a new target with a dot for its space, and offers the fix when it has none", async () => {
    const user = userEvent.setup();
    open(search);
    await figure("+6.12");
    await user.click(screen.getByTitle("Change the target"));
    const field = screen.getByRole("textbox", { name: /^target/ });
    await user.clear(field);
    await user.type(field, "Anna{Enter}");
    expect(await screen.findByText(/No leading space/)).toBeInTheDocument();
    expect(asked.at(-1)?.cases[0]?.target_tokens).toEqual(["Anna"]);
    await user.click(screen.getByRole("button", { name: /^Use/ }));
    await waitFor(() => {
      expect(asked.at(-1)?.cases[0]?.target_tokens).toEqual([" Anna"]);
    });
  });
});

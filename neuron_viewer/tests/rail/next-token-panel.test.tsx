import { fireEvent, render, screen } from "@testing-library/react";
import { expect, it, vi } from "vitest";

import { NextTokenPanel } from "@/pages/debugger/rail/next-token-panel";

import { caseOf, nextToken } from "./cases";

const next_tokens = [
  nextToken(0, " Mary", 0.9, "target"),
  nextToken(1, " the", 0.02),
  nextToken(2, "<b>x</b>", 0.01),
];

it("makes a token the target, with Shift the distractor", () => {
  const actions = { setTarget: vi.fn(), setDistractor: vi.fn() };
  render(<NextTokenPanel cases={[caseOf(["a"], 1, { next_tokens })]} actions={actions} />);
  const the = screen.getByRole("button", { name: "·the: make it the target" });
  fireEvent.click(the);
  expect(actions.setTarget).toHaveBeenCalledWith(" the");
  fireEvent.click(the, { shiftKey: true });
  expect(actions.setDistractor).toHaveBeenCalledWith(" the");
  fireEvent.click(screen.getByRole("button", { name: "Make ·the the distractor" }));
  expect(actions.setDistractor).toHaveBeenCalledTimes(2);
});

it("shows a token's text as text, never as markup", () => {
  const actions = { setTarget: vi.fn(), setDistractor: vi.fn() };
  render(<NextTokenPanel cases={[caseOf(["a"], 1, { next_tokens })]} actions={actions} />);
  expect(screen.getByText("<b>x</b>")).toBeInTheDocument();
});

it("compares two cases in points", () => {
  const actions = { setTarget: vi.fn(), setDistractor: vi.fn() };
  const right = [nextToken(0, " Mary", 0.8, "target")];
  const cases = [caseOf(["a"], 1, { next_tokens }), caseOf(["a"], 1, { next_tokens: right })];
  render(<NextTokenPanel cases={cases} actions={actions} />);
  expect(screen.getByText("+10.00")).toBeInTheDocument();
  expect(screen.getByRole("columnheader", { name: "Diff, points" })).toBeInTheDocument();
});

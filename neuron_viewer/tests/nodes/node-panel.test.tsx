import { configure, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { NO_FILTERS } from "@/lib/url-state";

import { effects, failures, labelled, labels, measured, server } from "./fake-server";
import { renderPanel, viewOf } from "./render-panel";

// Looking up by role is slow in jsdom when it asks of each element whether it can be seen.
configure({ defaultHidden: true });
vi.setConfig({ testTimeout: 30_000 });

const HEAD = "attn_L23_3@13:9";

beforeAll(() => server.listen({ onUnhandledRequest: "error" }));
afterAll(() => server.close());
beforeEach(() => {
  // jsdom lays nothing out: give the scroller a height, and its rows theirs.
  vi.spyOn(Element.prototype, "clientHeight", "get").mockReturnValue(160);
  vi.spyOn(HTMLElement.prototype, "offsetHeight", "get").mockReturnValue(24);
  vi.stubGlobal("matchMedia", () => ({
    matches: false,
    addEventListener: vi.fn(),
    removeEventListener: vi.fn(),
  }));
  measured.length = 0;
});
afterEach(() => {
  server.resetHandlers();
  effects.clear();
  failures.length = 0;
  labels.clear();
  labelled.length = 0;
  vi.unstubAllGlobals();
});

function rowOf(node: string): HTMLElement {
  const row = document.querySelector<HTMLElement>(`tr[data-node="${node}"]`);
  if (!row) throw new Error(`${node} is not on screen`);
  return row;
}
const nodes = () =>
  [...document.querySelectorAll<HTMLElement>("tr[data-node]")].map((row) => row.dataset["node"]);

describe("one case", () => {
  it("is a real table, strongest estimate first", () => {
    renderPanel(viewOf("one case"));
    const headers = screen.getAllByRole("columnheader").map((header) => header.textContent);
    expect(headers.slice(0, 4)).toEqual(["Node", "Token", "Activation", "Write"]);
    expect(screen.getByRole("columnheader", { name: /Total effect/ })).toHaveAttribute(
      "aria-sort",
      "descending",
    );
    expect(nodes().slice(0, 2)).toEqual(["embed@1", HEAD]);
    expect(within(rowOf(HEAD)).getByRole("rowheader")).toHaveTextContent(HEAD);
    expect(rowOf(HEAD)).toHaveTextContent("+2.78");
  });

  it("measures what is on screen, in table order, and moves no row", async () => {
    effects.set("embed@1", 8.04);
    renderPanel(viewOf("one case"));
    const before = nodes();
    await screen.findByText(/^Measured 40 of 40$/);
    expect(measured.slice(0, 3)).toEqual(before.slice(0, 3));
    expect(new Set(measured).size).toBe(40);
    expect(nodes()).toEqual(before);
    expect(rowOf("embed@1")).toHaveTextContent("+8.04");
    expect(within(rowOf("embed@1")).getByRole("button", { name: /signs differ/ })).toBeInTheDocument();
  });

  it("shows what components respond to below their rows, asked for in one call, until it is turned off", async () => {
    labels.set("attn_L23_3", [
      { id: "1", text: "attends to <b>names</b>", side: "positive", score: 0.61, scores: {}, measures: {}, explainer: "lookup", created: "" },
    ]);
    renderPanel(viewOf("one case"));
    const label = await screen.findByText("attends to <b>names</b>");
    expect(label).toHaveTextContent("0.61");
    expect(label.closest("tbody")).toContainElement(rowOf(HEAD));
    expect(labelled).toHaveLength(1);
    expect(labelled[0]).toContain("attn_L23_3");
    await userEvent.click(screen.getByRole("button", { name: "Explanations" }));
    expect(screen.queryByText("attends to <b>names</b>")).toBeNull();
    await userEvent.click(rowOf(HEAD));
    expect(screen.getByText("attends to <b>names</b>")).toBeInTheDocument();
  });

  it("filters to the rows that disagree, and back", async () => {
    effects.set("embed@1", 8.04);
    renderPanel(viewOf("one case"));
    await userEvent.click(await screen.findByRole("button", { name: "1 disagree" }));
    expect(nodes()).toEqual(["embed@1"]);
    expect(screen.getByText("1 of 40")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "1 disagree" }));
    expect(nodes().length).toBeGreaterThan(5);
  });

  it("says why measuring stopped, and goes on", async () => {
    failures.push({ message: "The queue is full.", hint: "Try again in a moment." });
    renderPanel(viewOf("one case"));
    expect(await screen.findByRole("alert")).toHaveTextContent("The queue is full.Try again in a moment.");
    await userEvent.click(screen.getByRole("button", { name: "Go on measuring" }));
    await screen.findByText(/^Measured 40 of 40$/);
    expect(screen.queryByRole("alert")).toBeNull();
  });

  it("shows tokens as text, never as HTML", async () => {
    renderPanel(viewOf("one case"));
    await waitFor(() => expect(rowOf(HEAD)).toHaveTextContent("+·up <b>down</b> ·side"));
    expect(rowOf(HEAD).querySelector(".tok b")).toHaveTextContent("·");
  });

  it("says that no row matches, and clears the filter", async () => {
    renderPanel(viewOf("one case"), { filters: { ...NO_FILTERS, text: "nothing at all" } });
    expect(screen.getByText("No row matches the filter.")).toBeInTheDocument();
    await userEvent.click(screen.getByRole("button", { name: "Clear the filter" }));
    expect(nodes().length).toBeGreaterThan(5);
  });
});

describe("an open row", () => {
  it("ablates everywhere, or only at its pair", async () => {
    const { acts } = renderPanel(viewOf("one case"));
    await userEvent.click(rowOf(HEAD));
    await userEvent.click(screen.getByRole("button", { name: "Ablate" }));
    const spec = { kind: "ablate", component: "attn_L23_3", value: "zero" };
    expect(acts.addIntervention).toHaveBeenLastCalledWith({ ...spec, positions: null, key_positions: null });
    await userEvent.click(screen.getByRole("button", { name: "13 → 9 only" }));
    await userEvent.click(screen.getByRole("button", { name: "Ablate" }));
    expect(acts.addIntervention).toHaveBeenLastCalledWith({ ...spec, positions: [13], key_positions: [9] });
    expect(screen.queryByRole("button", { name: "Patch" })).toBeNull();
  });

  it("says what ablating the whole component does, and what its write promotes", async () => {
    renderPanel(viewOf("one case"));
    await userEvent.click(rowOf(HEAD));
    expect(await screen.findByText("+6.12 → +3.08")).toBeInTheDocument();
    expect(await screen.findByText("Write promotes, logits")).toBeInTheDocument();
    expect(screen.getByText(/^Attention from/)).toBeInTheDocument();
  });

  it("scales by the number that is typed", async () => {
    const { acts } = renderPanel(viewOf("one case"));
    await userEvent.click(rowOf(HEAD));
    await userEvent.click(screen.getByRole("button", { name: "Scale" }));
    await userEvent.keyboard("-0.25{Enter}");
    expect(acts.addIntervention).toHaveBeenCalledWith(
      expect.objectContaining({ kind: "scale", value: -0.25 }),
    );
  });

  it("patches where there are two prompts", async () => {
    const { acts } = renderPanel(viewOf("two prompts"));
    await userEvent.click(rowOf(HEAD));
    await userEvent.click(screen.getByRole("button", { name: "Patch" }));
    expect(acts.addIntervention).toHaveBeenCalledWith(
      expect.objectContaining({ kind: "patch", from_case: 1 }),
    );
  });
});

describe("keys", () => {
  it("go through the rows, open one and act on it", async () => {
    const { acts } = renderPanel(viewOf("one case"));
    await userEvent.keyboard("jj");
    await waitFor(() => expect(rowOf(HEAD)).toHaveFocus());
    await userEvent.keyboard("{Enter}");
    expect(screen.getByRole("button", { name: "Ablate" })).toBeInTheDocument();
    await userEvent.keyboard("a");
    expect(acts.addIntervention).toHaveBeenCalledOnce();
    await userEvent.keyboard("w");
    expect(acts.trace).toHaveBeenCalledWith({ node: HEAD, through: "key", downstream: null });
    await userEvent.keyboard("o");
    expect(acts.openComponent).toHaveBeenCalledWith("attn_L23_3");
    await userEvent.keyboard("{ArrowUp}");
    await waitFor(() => expect(rowOf("embed@1")).toHaveFocus());
    await userEvent.keyboard("w");
    expect(acts.trace).toHaveBeenCalledOnce();
  });

  it("are off while something is typed", async () => {
    const { acts } = renderPanel(viewOf("one case"), { selected: HEAD });
    await userEvent.keyboard("f");
    expect(screen.getByRole("searchbox")).toHaveFocus();
    await userEvent.keyboard("a");
    expect(screen.getByRole("searchbox")).toHaveValue("a");
    expect(acts.addIntervention).not.toHaveBeenCalled();
  });

  it("go from number to number along a row", async () => {
    renderPanel(viewOf("one case"));
    await userEvent.keyboard("j");
    await waitFor(() => expect(rowOf("embed@1")).toHaveFocus());
    vi.spyOn(HTMLElement.prototype, "offsetParent", "get").mockReturnValue(document.body);
    await userEvent.keyboard("{ArrowRight}{ArrowRight}");
    expect(document.activeElement).toHaveAttribute("data-define", "activation");
    await userEvent.keyboard("{ArrowLeft}{ArrowLeft}");
    expect(rowOf("embed@1")).toHaveFocus();
  });
});

describe("two cases", () => {
  it("have Left, Diff and Right of each metric, the largest difference first", () => {
    renderPanel(viewOf("ablated"));
    expect(screen.getByRole("columnheader", { name: /^Total effect/ })).toHaveAttribute("colspan", "3");
    expect(screen.getAllByRole("columnheader", { name: /Diff/ })[1]).toHaveAttribute(
      "aria-sort",
      "descending",
    );
    const [first] = nodes();
    expect(first).toBe(HEAD);
    expect(rowOf(HEAD)).toHaveTextContent("ablated");
    expect(rowOf(HEAD)).toHaveTextContent("−2.78+2.78");
    expect(measured).toEqual([]);
  });

  it("show the left case alone on request, and then measure it", async () => {
    renderPanel(viewOf("ablated"));
    await userEvent.click(screen.getByRole("button", { name: "Values" }));
    expect(screen.getByRole("columnheader", { name: "Measured effect" })).toBeInTheDocument();
    expect(screen.getByText("40 rows, left case")).toBeInTheDocument();
    await screen.findByText(/^Measured 40 of 40$/);
  });

  it("have the columns that are chosen", async () => {
    renderPanel(viewOf("ablated"));
    await userEvent.click(screen.getByRole("button", { name: "Columns" }));
    await userEvent.click(screen.getByRole("menuitemcheckbox", { name: "Activation" }));
    expect(screen.getByRole("columnheader", { name: "Activation", hidden: true })).toBeInTheDocument();
  });
});

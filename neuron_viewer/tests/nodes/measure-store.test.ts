import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ApiError } from "@/api/errors";
import type { CaseSpec, MeasuredEffect, MeasureRequest } from "@/api/types";
import { MeasureStore } from "@/pages/debugger/nodes/measure-store";

const REQUEST = {
  case: { prompt: "x" } as CaseSpec,
  to: "zero",
  mlp_basis: "neuron",
  attention_basis: "head",
} as const;
const asked: string[][] = [];

/** Ten milliseconds for each effect, which is the length of the node's name. */
async function* answer({ nodes }: MeasureRequest, signal: AbortSignal): AsyncGenerator<MeasuredEffect> {
  asked.push([...nodes]);
  for (const node of nodes) {
    await new Promise((resolve) => setTimeout(resolve, 10));
    if (signal.aborted) throw new DOMException("", "AbortError");
    yield { node, measured_effect: node.length };
  }
}

beforeEach(() => {
  vi.useFakeTimers();
  asked.length = 0;
});
afterEach(() => vi.useRealTimers());

describe("measured effects as they stream in", () => {
  it("asks for nothing until somebody listens", async () => {
    const store = new MeasureStore(REQUEST, answer);
    store.setPlan({ order: ["a"], visible: [] });
    await vi.runAllTimersAsync();
    expect(asked).toEqual([]);
  });

  it("asks for what is on screen first, then for the rest in table order", async () => {
    const store = new MeasureStore(REQUEST, answer);
    store.setPlan({ order: ["a", "bb", "ccc"], visible: ["bb"] });
    store.subscribe(() => undefined);
    await vi.runAllTimersAsync();
    expect(asked).toEqual([["bb", "a", "ccc"]]);
    expect([...store.getSnapshot().effects]).toEqual([
      ["bb", 2],
      ["a", 1],
      ["ccc", 3],
    ]);
    expect(store.getSnapshot().isRunning).toBe(false);
  });

  it("goes on with a row that comes on screen", async () => {
    const store = new MeasureStore(REQUEST, answer);
    store.setPlan({ order: ["a"], visible: ["a"] });
    store.subscribe(() => undefined);
    await vi.runAllTimersAsync();
    store.setPlan({ order: ["a"], visible: ["late"] });
    await vi.runAllTimersAsync();
    expect(asked).toEqual([["a"], ["late"]]);
  });

  it("asks anew when the rows on screen would wait long, and keeps what it has", async () => {
    const order = Array.from({ length: 100 }, (_, i) => `n${i}`);
    const store = new MeasureStore(REQUEST, answer);
    store.setPlan({ order, visible: order.slice(0, 2) });
    store.subscribe(() => undefined);
    await vi.advanceTimersByTimeAsync(100);
    store.setPlan({ order, visible: ["n90", "n91"] });
    await vi.advanceTimersByTimeAsync(400);
    expect(asked).toHaveLength(2);
    expect(asked[1]?.slice(0, 2)).toEqual(["n90", "n91"]);
    expect(asked[1]).not.toContain("n0");
    await vi.runAllTimersAsync();
    expect(store.getSnapshot().effects.size).toBe(100);
  });

  it("stops when nobody listens any more, and keeps what it has", async () => {
    const store = new MeasureStore(REQUEST, answer);
    store.setPlan({ order: ["a", "b", "c"], visible: [] });
    const leave = store.subscribe(() => undefined);
    await vi.advanceTimersByTimeAsync(15);
    leave();
    await vi.runAllTimersAsync();
    expect(store.getSnapshot().error).toBeNull();
    store.subscribe(() => undefined);
    await vi.runAllTimersAsync();
    expect(asked).toEqual([
      ["a", "b", "c"],
      ["b", "c"],
    ]);
    expect(store.getSnapshot().effects.size).toBe(3);
  });

  it("says what went wrong, and goes on when asked to", async () => {
    const failure = new ApiError(503, "busy", "The queue is full.", "Try again.");
    let fails = true;
    const store = new MeasureStore(REQUEST, (request, signal) => {
      if (fails) throw failure;
      return answer(request, signal);
    });
    store.setPlan({ order: ["a"], visible: [] });
    store.subscribe(() => undefined);
    await vi.runAllTimersAsync();
    expect(store.getSnapshot().error).toBe(failure);
    fails = false;
    store.retry();
    await vi.runAllTimersAsync();
    expect(store.getSnapshot()).toMatchObject({ error: null, isRunning: false });
    expect(store.getSnapshot().effects.get("a")).toBe(1);
  });
});

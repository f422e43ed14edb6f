import { describe, expect, it } from "vitest";

import { nextBatch } from "@/pages/debugger/nodes/measure-queue";

const order = ["a", "b", "c", "d", "e"];

describe("what is measured next", () => {
  it("is what is on screen, alone", () => {
    expect(nextBatch({ order, visible: ["c", "d"] }, () => false, 4)).toEqual(["c", "d"]);
  });

  it("then follows the table, without what is done", () => {
    const done = new Set(["a", "c", "d"]);
    expect(nextBatch({ order, visible: ["c", "d"] }, (node) => done.has(node), 4)).toEqual(["b", "e"]);
  });

  it("is never more than a short request", () => {
    expect(nextBatch({ order, visible: order }, () => false, 2)).toEqual(["a", "b"]);
    expect(nextBatch({ order, visible: [] }, () => false, 2)).toEqual(["a", "b"]);
  });

  it("is nothing when all is done", () => {
    expect(nextBatch({ order, visible: order }, () => true)).toEqual([]);
  });
});

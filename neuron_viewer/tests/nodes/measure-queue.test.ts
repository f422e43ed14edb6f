import { describe, expect, it } from "vitest";

import { isOvertaken, nextBatch } from "@/pages/debugger/nodes/measure-queue";

const order = ["a", "b", "c", "d", "e"];
const none = () => false;

describe("what is measured next", () => {
  it("is what is on screen, then the table in its order, each once", () => {
    expect(nextBatch({ order, visible: ["c", "d"] }, none)).toEqual(["c", "d", "a", "b", "e"]);
  });

  it("leaves out what is done", () => {
    const done = new Set(["a", "d"]);
    expect(nextBatch({ order, visible: ["c", "d"] }, (node) => done.has(node))).toEqual(["c", "b", "e"]);
    expect(nextBatch({ order, visible: order }, () => true)).toEqual([]);
  });

  it("is never more than one request's worth", () => {
    expect(nextBatch({ order, visible: ["e"] }, none, 2)).toEqual(["e", "a"]);
  });
});

describe("asking anew", () => {
  const long = Array.from({ length: 100 }, (_, i) => `n${i}`);

  it("is for rows on screen that would wait long", () => {
    expect(isOvertaken({ order: long, visible: ["n90", "n91"] }, long, none)).toBe(true);
    expect(isOvertaken({ order: long, visible: ["not asked for"] }, long, none)).toBe(true);
  });

  it("is not for rows whose turn is near, nor for measured ones", () => {
    expect(isOvertaken({ order: long, visible: ["n3", "n20"] }, long, none)).toBe(false);
    expect(isOvertaken({ order: long, visible: ["n90"] }, long, (node) => node !== "n99")).toBe(false);
    expect(isOvertaken({ order: long, visible: ["n90"] }, long, (node) => Number(node.slice(1)) < 80)).toBe(
      false,
    );
  });
});

import { describe, expect, it } from "vitest";

import { measureProgress } from "@/pages/debugger/nodes/measure-progress";

import { row } from "./rows";

describe("how far measuring has come", () => {
  it("ties all that is shown as 0, whatever the rounding left of it", () => {
    const nodes = ["embed@0", "embed@1", "embed@2", "embed@3"];
    const rows = nodes.map((node, place) => row(node, [3, 1e-9, -1e-9, 2e-8][place] ?? 0));
    const measured = [new Map(nodes.map((node, place) => [node, [3, -2e-8, 1e-8, 0][place] ?? 0]))];
    expect(measureProgress(rows, 0, measured)).toMatchObject({ done: 4, total: 4, disagree: 0 });
    expect(measureProgress(rows, 0, measured).correlation).toBeCloseTo(1);
  });
});

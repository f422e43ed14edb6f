import { describe, expect, it } from "vitest";

import { histogramModel } from "@/pages/component/distribution/histogram-model";

import { record } from "./records";

/** The server's bins: eight to an octave, from 2^-20 to 2^12 on either side. */
function serverEdges(): number[] {
  const side = Array.from({ length: 257 }, (_, step) => (1 + (step & 7) / 8) * 2 ** ((step >> 3) - 20));
  return [...side.map((edge) => -edge).reverse(), ...side];
}

describe("counts", () => {
  const model = histogramModel(record().histogram, "count");

  it("keep every token", () => {
    expect(model.bars.reduce((sum, { count }) => sum + count, 0)).toBe(1000);
  });

  it("lie side by side from the smallest value to the largest", () => {
    model.bars.slice(1).forEach((bar, index) => {
      const before = model.bars[index];
      expect((before?.left ?? 0) + (before?.width ?? 0)).toBeCloseTo(bar.left);
    });
    expect(model.place(-2)).toBe(0);
    expect(model.place(4)).toBe(1);
    expect(model.place(99)).toBe(1);
  });

  it("have heights that grow with the logarithm, and sides by their sign", () => {
    const heights = model.bars.map(({ height }) => height);
    expect(Math.max(...heights)).toBe(1);
    expect(heights[0]).toBeCloseTo(Math.log10(11) / Math.log10(501));
    expect(model.bars.map(({ side }) => side)).toEqual([
      "negative", "negative", "middle", "positive", "positive", "positive",
    ]);
  });
});

it("draws the server's five hundred bins as at most seventy-three bars", () => {
  const edges = serverEdges();
  const counts = edges.slice(1).map(() => 3);
  const { bars } = histogramModel({ edges, counts }, "count");
  expect(bars.length).toBeLessThanOrEqual(73);
  expect(bars.reduce((sum, { count }) => sum + count, 0)).toBe(3 * counts.length);
});

it("leaves out the empty ends", () => {
  const { bars } = histogramModel({ edges: [-4, -2, 0, 2, 4], counts: [0, 0, 5, 0] }, "count");
  expect(bars.map(({ from, to }) => [from, to])).toEqual([[0, 2]]);
});

it("divides by the width for a density, on a linear axis", () => {
  const model = histogramModel({ edges: [0, 1, 4], counts: [10, 30] }, "density");
  expect(model.place(2)).toBeCloseTo(0.5);
  expect(model.bars[0]?.height).toBe(model.bars[1]?.height);
});

it("draws nothing of a histogram that holds nothing", () => {
  expect(histogramModel({ edges: [0, 1], counts: [0] }, "count").bars).toEqual([]);
});

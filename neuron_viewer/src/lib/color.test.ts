import { describe, expect, it } from "vitest";

import { barScale, cellColor, mapShare, textHeat, textShare } from "./color";

describe("colour scales", () => {
  it("are the ground itself at zero and never pass their limit", () => {
    expect(mapShare(0, 2)).toBe(0);
    expect(mapShare(5, 2)).toBe(1);
    expect(textShare(2, 2)).toBeCloseTo(0.55);
    expect(textShare(0.01, 2)).toBe(0);
    expect(mapShare(1, 0)).toBe(0);
    expect(textHeat(Number.NaN, 1)).toEqual({});
  });

  it("are blue above zero, orange below and violet when unsigned", () => {
    expect(cellColor(1, 1)).toContain("--pos");
    expect(cellColor(-1, 1)).toContain("--neg");
    expect(cellColor(1, 1, true)).toContain("--uns");
  });
});

describe("the scale of bars", () => {
  it("leaves out what is beyond three times the fourth largest", () => {
    expect(barScale([9, -2.5, 2, 1, 0.5])).toBe(2.5);
    expect(barScale([3, 2])).toBe(3);
    expect(barScale([])).toBe(1);
    expect(barScale([0, 0, 0, 0])).toBe(1);
  });
});

import { describe, expect, it } from "vitest";

import {
  formatEffect,
  formatExact,
  formatMagnitude,
  formatPoints,
  formatPointsBare,
  formatProb,
  visibleParts,
  visibleText,
} from "./format";

describe("numbers", () => {
  it.each([
    [2.7846, "+2.78"],
    [-3.868, "\u22123.87"],
    [0.0049, "+0.0049"],
    [-0.0049, "\u22120.0049"],
    [0.005, "+0.01"],
    [0.001, "+0.0010"],
    [-0.00098, "\u22129.8e\u22124"],
    [0.00099999, "+0.0010"],
    [0.0000123, "+1.2e\u22125"],
    [0, "0"],
    [-4e-7, "0"], // float32's own noise
    [null, "\u2013"],
    [Number.NaN, "\u2013"],
  ])("writes the effect %s as %s", (value, text) => {
    expect(formatEffect(value)).toBe(text);
  });

  it.each([
    [0.74, "0.74"],
    [61.6, "61.60"],
    [105.69, "105.7"],
    [16387.2, "16,387"],
    [-15.96, "\u221215.96"],
    [99.999, "100.0"],
    [0, "0"],
    [0.0012, "0.0012"],
    [-0.00021, "\u22122.1e\u22124"],
    [2.4e-12, "2.4e\u221212"],
  ])("writes the magnitude %s as %s", (value, text) => {
    expect(formatMagnitude(value)).toBe(text);
  });

  it("writes probabilities in percent and their changes in points", () => {
    expect(formatProb(0.9229)).toBe("92.3%");
    expect(formatProb(0.9229, 2)).toBe("92.29%");
    expect(formatProb(0.00001)).toBe("< 0.01%");
    expect(formatPoints(-0.037)).toBe("\u22123.7 pt");
    expect(formatPointsBare(0.00001)).toBe("0");
  });

  it("writes exact values to six figures", () => {
    expect(formatExact(2.784631)).toBe("+2.78463");
    expect(formatExact(-0.0000123456789)).toBe("\u22120.0000123457");
  });
});

describe("tokens", () => {
  it("shows white space and control characters and never drops them", () => {
    expect(visibleText(" Mary")).toBe("\u00b7Mary");
    expect(visibleText("\n\t\u00a0\ufffd")).toBe("\u21b5\u21e5\u237d\ufffd");
    expect(visibleText("\u0000\u200b")).toBe("\\x00\\u200b");
    expect(visibleText("<b>x</b>")).toBe("<b>x</b>");
  });

  it("keeps spaces in running text", () => {
    expect(visibleParts(" a b", true)).toEqual([{ text: " a b", quiet: false }]);
    expect(visibleParts(" a")).toEqual([
      { text: "\u00b7", quiet: true },
      { text: "a", quiet: false },
    ]);
  });
});

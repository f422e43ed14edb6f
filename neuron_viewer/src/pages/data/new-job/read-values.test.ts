import { describe, expect, it } from "vitest";

import { readCount, readLayers } from "./read-values";

describe("what is typed into the form", () => {
  it("reads counts as people write them", () => {
    for (const text of ["50000", "50,000", " 50k ", "0.05M", "50 000"]) {
      expect(readCount(text)).toEqual({ value: 50_000 });
    }
    expect(readCount("")).toEqual({ value: null });
    for (const text of ["0", "-3", "1.5", "many", "1e6"]) expect(readCount(text)).toHaveProperty("problem");
  });

  it("reads layers as lists and ranges", () => {
    expect(readLayers("all", 3)).toEqual({ value: [0, 1, 2] });
    expect(readLayers("2, 0-1,1", 3)).toEqual({ value: [0, 1, 2] });
    for (const text of ["", "3", "1-0", "x", "0,,1"]) expect(readLayers(text, 3)).toHaveProperty("problem");
  });
});

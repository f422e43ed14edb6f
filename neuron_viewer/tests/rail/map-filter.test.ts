import { describe, expect, it } from "vitest";

import { NO_FILTERS } from "@/lib/url-state";
import { effectMap } from "@/pages/debugger/rail/effect-map";
import { filterOfRange, isSameFilter, NO_MAP_FILTER, rangeOfFilter } from "@/pages/debugger/rail/map-filter";

import { caseOf } from "./cases";

const map = effectMap([caseOf(["a", "b", "c"], 3)], "both");
const at = (row: number, column: number) => ({ row, column });

describe("filterOfRange", () => {
  it("keeps the layer and token of a cell", () => {
    const filter = filterOfRange(map, { from: at(4, 1), to: at(4, 1) }, "both");
    expect(filter).toEqual({ kind: "all", layers: [2, 2], tokens: [1, 1], text: "" });
  });

  it("keeps ranges of both, and the part that is shown", () => {
    const filter = filterOfRange(map, { from: at(4, 0), to: at(6, 2) }, "attn");
    expect(filter).toEqual({ kind: "attn", layers: [0, 2], tokens: [0, 2], text: "" });
  });

  it("reads a strip as its kind", () => {
    expect(filterOfRange(map, { from: at(0, 1), to: at(0, 2) }, "both")).toEqual({
      kind: "embed",
      layers: null,
      tokens: [1, 2],
      text: "",
    });
    expect(filterOfRange(map, { from: at(0, 1), to: at(1, 1) }, "both").kind).toBe("all");
  });

  it("finds the token attended to by name", () => {
    const filter = filterOfRange(map, { from: at(3, 1), to: at(3, 1) }, "both");
    expect(filter).toEqual({ kind: "attn", layers: null, tokens: null, text: ":1" });
  });
});

describe("rangeOfFilter", () => {
  it("is the way back", () => {
    const range = { from: at(4, 1), to: at(5, 2) };
    expect(rangeOfFilter(map, filterOfRange(map, range, "both"))).toEqual(range);
  });

  it("outlines nothing where nothing is filtered, or nothing is left", () => {
    expect(rangeOfFilter(map, NO_MAP_FILTER)).toBeNull();
    expect(rangeOfFilter(map, { ...NO_MAP_FILTER, layers: [8, 9] })).toBeNull();
  });
});

it("knows that a filter is already on", () => {
  const filter = filterOfRange(map, { from: at(4, 1), to: at(4, 1) }, "both");
  expect(isSameFilter(filter, { ...NO_FILTERS, layers: [2, 2], tokens: [1, 1] })).toBe(true);
  expect(isSameFilter(filter, NO_FILTERS)).toBe(false);
});

import { expect, it } from "vitest";

import { densityRange, NO_SEARCH, queryIn, readSearch, writeSearch, type SearchState } from "@/pages/search/search-state";

const full: SearchState = {
  query: " Paris & more",
  mode: "token",
  kind: "latent",
  layer: 0,
  side: "negative",
  minScore: 0.25,
  density: "0.1-0.5",
  dataset: "stories",
};

it("reads back every search that it wrote", () => {
  for (const state of [full, NO_SEARCH, { ...NO_SEARCH, query: "a+b", minScore: -0.5 }]) {
    const written = writeSearch(new URLSearchParams(), state).toString();
    expect(readSearch(new URLSearchParams(written))).toEqual(state);
  }
});

it("writes nothing of an empty search, and leaves the Debugger's question alone", () => {
  const question = new URLSearchParams("p=A+b&t=+c&q=rows&kind=attn&layers=0-3");
  expect(writeSearch(question, NO_SEARCH).toString()).toBe(question.toString());
  const both = writeSearch(question, full);
  expect(both.get("q")).toBe("rows");
  expect(writeSearch(both, NO_SEARCH).toString()).toBe(question.toString());
});

it("drops what it cannot read", () => {
  const params = new URLSearchParams("find=x&mode=magic&type=embed&layer=-1&side=up&min=high&density=0-7");
  expect(readSearch(params)).toEqual({ ...NO_SEARCH, query: "x" });
});

it("asks for both ends of a range of densities, or for the one that says something", () => {
  expect(densityRange("0.1-0.5")).toEqual({ min_density: 0.1, max_density: 0.5 });
  expect(densityRange("0-0.01")).toEqual({ min_density: null, max_density: 0.01 });
  expect(densityRange("0.5-1")).toEqual({ min_density: 0.5, max_density: null });
  expect(densityRange(null)).toEqual({ min_density: null, max_density: null });
});

it("takes a query over to another mode, but for a token, and goes back to what was typed there", () => {
  expect(queryIn({ from: "meaning", to: "keyword" }, "names of women", {})).toBe("names of women");
  expect(queryIn({ from: "meaning", to: "token" }, "names of women", {})).toBe("");
  expect(queryIn({ from: "token", to: "text" }, " Mary", { meaning: "names" })).toBe("");
  expect(queryIn({ from: "token", to: "meaning" }, " Mary", { meaning: "names" })).toBe("names");
  expect(queryIn({ from: "token", to: "token" }, " Mary", { token: "old" })).toBe(" Mary");
});

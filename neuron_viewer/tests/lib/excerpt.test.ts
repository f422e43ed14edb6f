import { describe, expect, it } from "vitest";

import { excerptOf, lineOf, shadesOf, shortSource, strongestOf, valueAt } from "@/lib/excerpt";

import { exemplar, pair } from "../component/records";

const neuron = excerptOf(exemplar("a big red dog ran", [0, 1, -4, 0.5, 0], 2));
const head = excerptOf(pair("one two three four five six", 4, 1, 3));

describe("a line", () => {
  it("splits at the peak, and holds what fits on either side", () => {
    expect(lineOf(neuron, 100)).toEqual({ before: [0, 1], after: [2, 3, 4] });
    expect(lineOf(neuron, 4)).toEqual({ before: [1], after: [2] });
  });

  it("of a head splits at the token attended to, and shows the attending one too", () => {
    expect(lineOf(head, 100)).toEqual({ before: [0], after: [1, 2, 3, 4, 5] });
  });

  it("leaves out the tokens between the ends of a pair that lie far apart", () => {
    const words = Array.from({ length: 60 }, (_, index) => `w${index}`).join(" ");
    const { after } = lineOf(excerptOf(pair(words, 50, 2, 1)), 40);
    expect(after[0]).toBe(2);
    expect(after).toContain(null);
    expect(after).toContain(50);
    expect(after.length).toBeLessThan(30);
  });

  it("starts at the first token and ends at the last", () => {
    expect(lineOf(excerptOf(exemplar("only", [1], 0)), 40)).toEqual({ before: [], after: [0] });
  });
});

describe("shades", () => {
  it("are a neuron's own values, whatever is pointed at", () => {
    expect(shadesOf(neuron, "to", 1)).toEqual([0, 1, -4, 0.5, 0]);
  });

  it("of a head are its strongest pair at the chosen end", () => {
    expect(shadesOf(head, "to", null)).toEqual([0.1, 3, 0.1, 0.1, 0.1, 0.1]);
    expect(shadesOf(head, "from", null)).toEqual([0.1, 0.1, 0.1, 0.1, 3, 0.1]);
  });

  it("of a head show where the pointed token attends, and nothing after it", () => {
    expect(shadesOf(head, "to", 4)).toEqual([0.1, 3, 0.1, 0.1, 0.1, null]);
  });
});

it("reads a token's value; of a head the pair it forms with what it attends to most", () => {
  expect(valueAt(neuron, 2)).toEqual({ value: -4, key: null });
  expect(valueAt(head, 4)).toEqual({ value: 3, key: 1 });
});

it("lists the strongest tokens by size, and pairs by value", () => {
  expect(strongestOf(neuron, 2).map(({ token }) => token)).toEqual([2, 1]);
  expect(strongestOf(head, 1)).toEqual([{ token: 4, key: 1, value: 3 }]);
});

it("finds the key of a pair that names only its query", () => {
  const nameless = { ...pair("one two three", 2, 0, 5), peak_key: null };
  expect(excerptOf(nameless)).toMatchObject({ from: 2, peak: 0 });
});

it.each([
  ["data/corpus.jsonl:188", "corpus:188"],
  ["kjv", "kjv"],
  ["a/b.txt", "b"],
  ["https://example.org/page", "page"],
  ["", ""],
])("shortens the source %j to %j", (source, short) => {
  expect(shortSource(source)).toBe(short);
});

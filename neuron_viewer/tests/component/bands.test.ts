import { expect, it } from "vitest";

import { bandsOf, filtered, linesOf } from "@/pages/component/exemplars/bands";

import { record } from "./records";

it("orders bands from both ends over the quantiles to the random sample, and leaves out empty ones", () => {
  const bands = bandsOf(record());
  expect(bands.map(({ title }) => title)).toEqual(["Top +", "Top \u2212", "99%", "50%", "Random"]);
  expect(bands.map(({ note }) => note)).toContain("to 99.9%");
});

it("shows one kind of band alone", () => {
  expect(filtered(bandsOf(record()), "quantiles").map(({ title }) => title)).toEqual(["99%", "50%"]);
});

it("numbers the lines of each band from its first, under keys of their own", () => {
  const lines = linesOf(bandsOf(record()));
  expect(lines.map(({ place }) => place)).toEqual([0, 1, 0, 0, 0, 0]);
  expect(new Set(lines.map(({ key }) => key)).size).toBe(lines.length);
});

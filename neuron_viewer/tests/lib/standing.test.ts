import { expect, it } from "vitest";

import { levelsOf, levelText, percent, shareBelow, standingText } from "@/lib/standing";

import { record } from "../component/records";

const levels = levelsOf(record().statistics);

it("orders quantiles by their share, however they are written", () => {
  expect(levels.map(({ share }) => share)).toEqual([0.00001, 0.01, 0.5, 0.99, 0.999, 0.99999]);
});

it("interpolates between two quantiles, and stops at the outermost", () => {
  expect(shareBelow(1, levels)).toBeCloseTo(0.745);
  expect(shareBelow(99, levels)).toBe(0.99999);
  expect(shareBelow(-99, levels)).toBe(0.00001);
  expect(shareBelow(1, [])).toBeNull();
});

it("names the nearer end", () => {
  expect(standingText(3, levels)).toBe("top 0.1%");
  expect(standingText(-1, levels)).toBe("bottom 1%");
  const upper = levels.filter(({ share }) => share >= 0.5); // all that a public record knows
  expect(standingText(-1, upper)).toBe("bottom 50%");
  expect(standingText(3, upper)).toBe("top 0.1%");
});

it("writes shares with two figures, and levels whole", () => {
  expect(percent(0.0296)).toBe("3%");
  expect(percent(0.0000012)).toBe("0.00012%");
  expect(levelText(0.9999999)).toBe("99.99999%");
});

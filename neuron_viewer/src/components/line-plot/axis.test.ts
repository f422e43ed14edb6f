import { describe, expect, it } from "vitest";

import { domainOf, percentTick, tickText, ticksOf } from "./axis";

describe("an axis", () => {
  it("has a few round ticks", () => {
    expect(ticksOf([0, 1])).toEqual([0, 0.5, 1]);
    expect(ticksOf([0, 3_000_000])).toEqual([0, 1_000_000, 2_000_000, 3_000_000]);
    expect(ticksOf([0.13, 0.58]).map((tick) => tickText(tick, [0.2, 0.4]))).toEqual(["0.2", "0.4"]);
    expect(ticksOf([2, 2])).toEqual([2]);
  });

  it("holds every value with some room, and no negative ones where there are none", () => {
    const [low, high] = domainOf([0.5, 20, Number.NaN]);
    expect(low).toBe(0);
    expect(high).toBeGreaterThan(20);
    expect(domainOf([])).toEqual([0, 1]);
    expect(domainOf([4, 4])).toEqual([0, 5]);
    expect(domainOf([-4])).toEqual([-5, 0]);
  });

  it("writes ticks with the decimals that their step needs", () => {
    const ticks = [0, 0.02, 0.04];
    expect(ticks.map((tick) => tickText(tick, ticks))).toEqual(["0.00", "0.02", "0.04"]);
    expect(ticks.map((tick) => percentTick(tick, ticks))).toEqual(["0%", "2%", "4%"]);
    expect(tickText(2_000_000, [0, 1_000_000])).toBe("2M");
  });
});

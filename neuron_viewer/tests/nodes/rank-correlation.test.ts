import { describe, expect, it } from "vitest";

import { rankCorrelation } from "@/pages/debugger/nodes/rank-correlation";

describe("rank correlation", () => {
  it("depends on order alone", () => {
    expect(
      rankCorrelation([
        [1, 10],
        [2, 20],
        [3, 1000],
      ]),
    ).toBe(1);
    expect(
      rankCorrelation([
        [1, 3],
        [2, 2],
        [3, 1],
      ]),
    ).toBe(-1);
  });

  it("agrees with a case worked by hand", () => {
    // d = 1, 1, 0, 0, so 1 - 6 * 2 / (4 * 15) = 0.8
    expect(
      rankCorrelation([
        [1, 2],
        [2, 1],
        [3, 3],
        [4, 4],
      ]),
    ).toBeCloseTo(0.8);
  });

  it("gives ties their mean rank", () => {
    // Ranks 0.5 0.5 2 against 0 1 2: 1.5 / sqrt(1.5 * 2)
    expect(
      rankCorrelation([
        [5, 1],
        [5, 2],
        [9, 3],
      ]),
    ).toBeCloseTo(Math.sqrt(3) / 2);
  });

  it("says nothing of too few pairs, or of a side that never varies", () => {
    expect(
      rankCorrelation([
        [1, 1],
        [2, 2],
      ]),
    ).toBeNull();
    expect(
      rankCorrelation([
        [1, 1],
        [1, 2],
        [1, 3],
      ]),
    ).toBeNull();
  });
});

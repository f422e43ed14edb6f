import { describe, expect, it } from "vitest";

import { formatBytes, formatCompact, formatDuration, formatRate } from "./format-size";

describe("amounts", () => {
  it("writes bytes in two figures", () => {
    expect([0, 812, 999.6, 4_200_000, 9_960_000, 15_400_000].map(formatBytes)).toEqual([
      "0 B",
      "812 B",
      "1.0 kB",
      "4.2 MB",
      "10 MB",
      "15 MB",
    ]);
  });

  it("writes durations by their largest unit", () => {
    expect([0.2, 59, 59.6, 240, 7500, 100_000].map(formatDuration)).toEqual([
      "1 s",
      "59 s",
      "1 min",
      "4 min",
      "2 h 05 min",
      "1 d 3 h",
    ]);
    expect(formatDuration(null)).toBe("\u2013");
  });

  it("writes rates and counts compactly", () => {
    expect([0.25, 9.96, 8123.4].map(formatRate)).toEqual(["0.3", "10.0", "8,123"]);
    expect([950, 84_480, 3_400_000].map(formatCompact)).toEqual(["950", "84.5K", "3.4M"]);
  });
});

import { describe, expect, it } from "vitest";

import { formatWeight, stripTokens, WHOLE_UP_TO } from "@/pages/debugger/nodes/prompt-strip";

describe("a component along the prompt", () => {
  it("shows a short prompt whole, with nothing where the head cannot look", () => {
    expect(stripTokens([{ text: "a" }, { text: "b" }], [0.4], 0)).toEqual([
      { text: "a", position: 0, value: 0.4 },
      { text: "b", position: 1, value: 0 },
    ]);
  });

  it("keeps the strongest of a long one, and the token asked about", () => {
    const tokens = Array.from({ length: 500 }, (_, i) => ({ text: `t${i}` }));
    const strip = stripTokens(
      tokens,
      tokens.map((_, i) => (i === 250 ? -5 : i / 1000)),
      3,
    );
    const shown = strip.filter((token) => token !== null).map(({ position }) => position);
    expect(shown).toContain(250);
    expect(shown).toContain(3);
    expect(shown.length).toBeLessThanOrEqual(WHOLE_UP_TO / 2 + 1);
    expect(strip[0]).toBeNull();
    expect(shown).toEqual([...shown].sort((a, b) => a - b));
  });

  it("writes weights without their zero", () => {
    expect([0.74, 0.004, 1, 0.05].map(formatWeight)).toEqual([".74", "", "1", ".05"]);
  });
});

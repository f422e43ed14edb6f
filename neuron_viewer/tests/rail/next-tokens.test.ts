import { describe, expect, it } from "vitest";

import { changeOf, nextTokenRows, probabilityScale } from "@/pages/debugger/rail/next-tokens";

import { nextToken } from "./cases";

const many = Array.from({ length: 12 }, (_, id) => nextToken(id, ` t${id}`, 0.5 / (id + 1)));

describe("nextTokenRows", () => {
  it("keeps targets and distractors however unlikely they are", () => {
    const rows = nextTokenRows([{ next_tokens: [...many, nextToken(900, " rare", 1e-9, "distractor")] }]);
    expect(rows).toHaveLength(7);
    expect(rows.at(-1)?.role).toBe("distractor");
  });

  it("takes the union of two cases, by the left one's probability", () => {
    const left = [nextToken(1, "a", 0.6, "target"), nextToken(2, "b", 0.1)];
    const right = [nextToken(3, "c", 0.7), nextToken(1, "a", 0.2, "target")];
    const rows = nextTokenRows([{ next_tokens: left }, { next_tokens: right }]);
    expect(rows.map(({ text }) => text)).toEqual(["a", "b", "c"]);
    expect(rows.map(changeOf)).toEqual([expect.closeTo(0.4), null, null]);
  });
});

it("never stretches small changes over the whole bar", () => {
  const row = nextTokenRows([
    { next_tokens: [nextToken(1, "a", 0.5)] },
    { next_tokens: [nextToken(1, "a", 0.49)] },
  ]);
  expect(probabilityScale(row)).toBe(0.1);
});

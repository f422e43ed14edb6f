import { describe, expect, it } from "vitest";

import { alignColumns, columnIndex, onlyIn } from "@/pages/debugger/rail/alignment";

import { caseOf } from "./cases";

describe("alignColumns", () => {
  it("gives one case its own tokens", () => {
    const columns = alignColumns([caseOf(["a", "b"])]);
    expect(columns.map(({ positions }) => positions)).toEqual([[0], [1]]);
    expect(columns.map(onlyIn)).toEqual([null, null]);
  });

  it("aligns prompts of unequal length at the end", () => {
    const columns = alignColumns([caseOf(["x", "b", "c"]), caseOf(["c"])]);
    expect(columns.map(({ positions }) => positions)).toEqual([
      [0, null],
      [1, null],
      [2, 0],
    ]);
    expect(columns.map(onlyIn)).toEqual(["left only", "left only", null]);
  });

  it("takes the token and its index from the case that has it", () => {
    const columns = alignColumns([caseOf(["b"]), caseOf(["a", "b"])]);
    expect(columns.map(({ token }) => token.text)).toEqual(["a", "b"]);
    expect(columns.map(onlyIn)).toEqual(["right only", null]);
    expect(columns.map(columnIndex)).toEqual([0, 0]);
  });
});

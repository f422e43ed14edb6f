import { describe, expect, it } from "vitest";

import { endsInSpace, tokenWarning } from "./token-warning";

describe("a target or distractor", () => {
  it("lacks its leading space", () => {
    expect(tokenWarning("Mary", ["Mary"], "gave a drink to", undefined)?.fix).toBe(" Mary");
    expect(tokenWarning("Mary", ["Mary"], "gave a drink to", " Bob")?.fix).toBe(" Mary");
  });

  it("is several tokens", () => {
    const warning = tokenWarning(" Johnathan", [" John", "athan"], "drink to", undefined);
    expect(warning?.parts).toEqual([" John", "athan"]);
    expect(warning?.fix).toBe(" John");
  });

  it.each([
    [" Mary", "drink to", undefined],
    ["Mary", 'she said "', undefined],
    ["s", "the word", "s"],
    ["!", "Hello", undefined],
    ["\u6771", "\u4eac\u90fd\u3068", undefined],
    ["", "x", undefined],
  ])("is fine as %j after %j", (text, before, next) => {
    expect(tokenWarning(text, [text], before, next)).toBeNull();
  });
});

it("knows a trailing space", () => {
  expect(endsInSpace("drink to ")).toBe(true);
  expect(endsInSpace("drink to\n")).toBe(false);
});

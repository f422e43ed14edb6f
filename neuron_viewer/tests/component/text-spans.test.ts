import { describe, expect, it } from "vitest";

import { textSpans, tokenAtOffset } from "@/pages/component/text-spans";

const tokens = (...texts: string[]) => texts.map((text) => ({ text }));

describe("textSpans", () => {
  it("cuts the text at its tokens and loses nothing", () => {
    const spans = textSpans("The cat.", tokens("The", " cat", "."));
    expect(spans).toEqual([
      { text: "The", token: 0 },
      { text: " cat", token: 1 },
      { text: ".", token: 2 },
    ]);
  });

  it("skips a start mark that was never typed", () => {
    expect(textSpans("Hi", tokens("<s>", "Hi"))).toEqual([{ text: "Hi", token: 1 }]);
  });

  it("gives a character split over several tokens to the last of its bytes", () => {
    const spans = textSpans("a🦜b", tokens("a", "\ufffd", "\ufffd", "b"));
    expect(spans.map(({ text }) => text).join("")).toBe("a🦜b");
    expect(spans[1]).toEqual({ text: "🦜", token: 2 });
    expect(textSpans("🦜", tokens("\ufffd", "\ufffd"))).toEqual([{ text: "🦜", token: 1 }]);
  });

  it("leaves text typed since without a token", () => {
    expect(textSpans("The cat sat", tokens("The", " cat"))).toEqual([
      { text: "The", token: 0 },
      { text: " cat", token: 1 },
      { text: " sat", token: null },
    ]);
    expect(textSpans("", tokens("The"))).toEqual([]);
  });

  it("keeps what surrounds an edit", () => {
    const spans = textSpans("The fat cat.", tokens("The", " cat", "."));
    expect(spans.map(({ text }) => text).join("")).toBe("The fat cat.");
    expect(spans.at(-1)).toEqual({ text: ".", token: 2 });
  });
});

it("finds the token of a caret", () => {
  const spans = textSpans("The cat", tokens("The", " cat"));
  expect([0, 3, 4, 7].map((offset) => tokenAtOffset(spans, offset))).toEqual([0, 0, 1, 1]);
  expect(tokenAtOffset([], 0)).toBeNull();
});

import { describe, expect, it } from "vitest";

import { emptyCase, emptyQuestion, toRequest } from "@/lib/question";

import { pythonLiteral } from "@/lib/python-literal";

import { asCurl, asPython } from "./export-text";

const request = toRequest(
  emptyQuestion({ ...emptyCase('It\'s "here"\n'), target_tokens: [" Mary"] }),
);

describe("the request as a command", () => {
  it("quotes for the shell", () => {
    const text = asCurl(request, "http://127.0.0.1:8000");
    expect(text).toContain("curl -s http://127.0.0.1:8000/api/debug");
    expect(text).toContain("It'\\''s");
    expect(text).not.toMatch(/[^\\]It's/);
  });

  it("writes Python's constants and keeps the rest", () => {
    expect(pythonLiteral({ a: null, b: [true, 1.5], c: 'x"\n' })).toBe(
      '{"a": None, "b": [True, 1.5], "c": "x\\"\\n"}',
    );
    expect(asPython(request, "http://x")).toContain('"trace": None');
  });
});

import { describe, expect, it } from "vitest";

import { tokensText } from "@/pages/monitor/steer/active-concept";

describe("the tokens a concept acts on", () => {
  it("are a run by its ends, others one by one", () => {
    expect(tokensText([4, 5, 6])).toBe("4\u20136");
    expect(tokensText([4])).toBe("4");
    expect(tokensText([3, 9])).toBe("3, 9");
  });
});

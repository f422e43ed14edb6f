import { describe, expect, it } from "vitest";

import { DISAGREEMENT, flagOf, flagSentence } from "@/lib/disagreement";
import { flagIn } from "@/pages/debugger/nodes/disagreement";

import { row } from "./rows";

describe("flags", () => {
  it("says when the signs differ, unless either is near nothing", () => {
    expect(flagOf(-3.87, 8.04)).toBe("±");
    expect(flagOf(-0.04, 0.04)).toBeNull();
    expect(flagOf(-0.06, 0.06)).toBe("±");
    expect(flagOf(-DISAGREEMENT.sign, 0.15)).toBeNull();
  });

  it("says when the gap passes half of the larger and 0.2", () => {
    expect(flagOf(1.19, 0.59)).toBe("≠");
    expect(flagOf(1.19, 0.83)).toBeNull();
    expect(flagOf(0.3, 0.11)).toBeNull();
    expect(flagOf(0, 0.25)).toBe("≠");
    expect(flagOf(-1.01, -0.71)).toBeNull();
  });

  it("flags nothing that is not measured", () => {
    const one = row("attn_L3_4@3:1", 1.19);
    expect(flagIn(one, 0, [new Map()])).toBeNull();
    expect(flagIn(one, 0, [new Map([[one.node, 0.59]])])).toBe("≠");
  });

  it("explains itself with both numbers and both directions", () => {
    expect(flagSentence(-3.87, 8.04)).toContain(
      "lowers the objective by 3.87; removing it lowers the objective by 8.04",
    );
    expect(flagSentence(1, 0.2)).toContain("raises the objective by 1.00; removing it lowers");
  });
});

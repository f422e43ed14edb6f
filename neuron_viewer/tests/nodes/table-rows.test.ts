import { describe, expect, it } from "vitest";

import type { CaseResult } from "@/api/types";
import { nodeInCase, tableRow } from "@/pages/debugger/nodes/table-rows";

import { nodeRow, pair, row, TOKENS, values } from "./rows";

const caseOf = (tokens: typeof TOKENS) => ({ tokens }) as CaseResult;

describe("a row's tokens", () => {
  it("are those of the case that has it", () => {
    expect(row("attn_L9_3@3:1", 1)).toMatchObject({ token: { text: " John" }, keyToken: { text: " Mary" } });
    const other = caseOf([{ id: 9, text: "Then" }, ...TOKENS]);
    const right = nodeRow("embed@0", 1, { case_nodes: [null, "embed@0"], values: [null, values(1)] });
    expect(tableRow(right, [caseOf(TOKENS), other]).token).toEqual({ text: "Then", position: 0 });
    expect(row("bias", 1).token).toBeNull();
  });

  it("give its name in each case", () => {
    const one = pair("mlp_L1_1@1", 1, null);
    expect([nodeInCase(one, 0), nodeInCase(one, 1)]).toEqual(["mlp_L1_1@1", null]);
  });
});

describe("the case that tells what a node does", () => {
  const edited = nodeRow("mlp_L1_1@1", 0, { values: [values(0), values(1)], edited: "ablated" });

  it("is the baseline, where the left case has edited it", () => {
    expect(tableRow(edited, [caseOf(TOKENS), caseOf(TOKENS)]).telling).toBe(1);
  });

  it("is the left case, where the right one is another prompt", () => {
    const other = caseOf(TOKENS.map(({ text }) => ({ id: 99, text })));
    expect(tableRow(edited, [caseOf(TOKENS), other]).telling).toBe(0);
  });
});

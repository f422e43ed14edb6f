import { describe, expect, it } from "vitest";

import { DEFAULT_SORT } from "@/lib/url-state";
import { movedRows, nextSort, sortKey, sortRows } from "@/pages/debugger/nodes/sorting";

import { pair, row } from "./rows";

const NONE = { compare: false, measured: [new Map<string, number>()] };
const rows = [row("mlp_L2_7@1", 0.5), row("embed@1", -3.9), row("attn_L2_3@3:1", 2.8), row("bias", 0.1)];
const names = (sorted: typeof rows) => sorted.map(({ node }) => node);

describe("sorting", () => {
  it("starts with the largest effect of either sign", () => {
    expect(names(sortRows(rows, DEFAULT_SORT, NONE))).toEqual([
      "embed@1",
      "attn_L2_3@3:1",
      "mlp_L2_7@1",
      "bias",
    ]);
  });

  it("puts the most positive, then the most negative first on further clicks", () => {
    const positive = nextSort(DEFAULT_SORT, "total_effect");
    expect(names(sortRows(rows, positive, NONE))[0]).toBe("attn_L2_3@3:1");
    const negative = nextSort(positive, "total_effect");
    expect(names(sortRows(rows, negative, NONE))[0]).toBe("embed@1");
    expect(names(sortRows(rows, negative, NONE)).at(-1)).toBe("attn_L2_3@3:1");
    expect(nextSort(negative, "total_effect")).toEqual(DEFAULT_SORT);
  });

  it("reads the model upward by node, and the prompt onward by token", () => {
    const byNode = nextSort(DEFAULT_SORT, "node");
    expect(names(sortRows(rows, byNode, NONE))).toEqual(["embed@1", "attn_L2_3@3:1", "mlp_L2_7@1", "bias"]);
    const byToken = nextSort(DEFAULT_SORT, "token");
    expect(names(sortRows(rows, byToken, NONE)).at(-2)).toBe("attn_L2_3@3:1");
    expect(nextSort(byToken, "token").descending).toBe(true);
  });

  it("leaves rows without a value at the end, whichever way", () => {
    const measured = [new Map([["bias", 1]])];
    for (const descending of [true, false]) {
      const sorted = sortRows(
        [row("embed@1", 1), ...rows.slice(3)],
        { column: "measured_effect", descending },
        { compare: false, measured },
      );
      expect(names(sorted)).toEqual(["bias", "embed@1"]);
    }
  });

  it("compares two cases by the size of the difference, or by a side", () => {
    const two = [pair("mlp_L1_1@1", 1, 1.1), pair("mlp_L1_2@1", 0, 3), pair("mlp_L1_3@1", 9, null)];
    const context = { compare: true, measured: [] };
    expect(names(sortRows(two, DEFAULT_SORT, context))).toEqual(["mlp_L1_2@1", "mlp_L1_1@1", "mlp_L1_3@1"]);
    const left = { column: "total_effect:left", descending: true };
    expect(names(sortRows(two, left, context))[0]).toBe("mlp_L1_3@1");
  });

  it("sorts flags by how far estimate and measurement are apart", () => {
    const measured = [
      new Map([
        ["mlp_L2_7@1", 0.4],
        ["embed@1", 8],
      ]),
    ];
    const sorted = sortRows(rows, { column: "flag", descending: true }, { compare: false, measured });
    expect(names(sorted).slice(0, 2)).toEqual(["embed@1", "mlp_L2_7@1"]);
  });

  it("reads an unknown column as the default", () => {
    expect(sortKey("colour")).toEqual(sortKey(DEFAULT_SORT.column));
    expect(sortKey("total_effect:middle")).toEqual(sortKey(DEFAULT_SORT.column));
  });

  it("counts the rows that another order would move", () => {
    const [a, b, c] = [row("embed@0", 1), row("embed@1", 1), row("embed@2", 1)];
    expect(movedRows([a, b, c], [a, b, c])).toBe(0);
    expect(movedRows([a, b, c], [b, a, c])).toBe(2);
    expect(movedRows([a], [a, b])).toBe(1);
  });
});

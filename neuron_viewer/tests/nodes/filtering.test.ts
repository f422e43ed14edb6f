import { describe, expect, it } from "vitest";

import { NO_FILTERS, type Filters } from "@/lib/url-state";
import { filterRows, isFiltered } from "@/pages/debugger/nodes/filtering";

import { row } from "./rows";

const rows = [
  row("embed@1", 1),
  row("attn_L9_3@3:1", 1),
  row("mlp_L20_426@4", 1, { edited: "ablated" }),
  row("mlp_ae_L3_5@2", 1),
  row("mlp_ae_error_L3@2", 1),
  row("bias", 1),
];

function kept(change: Partial<Filters>): string[] {
  return filterRows(rows, { ...NO_FILTERS, ...change }, ({ node }) => node === "embed@1").map(
    ({ node }) => node,
  );
}

describe("filtering", () => {
  it("keeps all without filters", () => {
    expect(kept({})).toHaveLength(rows.length);
    expect(isFiltered(NO_FILTERS)).toBe(false);
  });

  it("keeps a kind; latents stand for their half of the layer, and a coder's error goes with them", () => {
    expect(kept({ kind: "mlp" })).toEqual(["mlp_L20_426@4", "mlp_ae_L3_5@2", "mlp_ae_error_L3@2"]);
    expect(kept({ kind: "attn" })).toEqual(["attn_L9_3@3:1"]);
    expect(kept({ kind: "latent" })).toEqual(["mlp_ae_L3_5@2", "mlp_ae_error_L3@2"]);
  });

  it("keeps ranges of layers and tokens, ends included", () => {
    expect(kept({ layers: [9, 20] })).toEqual(["attn_L9_3@3:1", "mlp_L20_426@4"]);
    expect(kept({ tokens: [2, 3] })).toEqual(["attn_L9_3@3:1", "mlp_ae_L3_5@2", "mlp_ae_error_L3@2"]);
  });

  it("finds words in names, tokens and tags, white space marks aside", () => {
    expect(kept({ text: "l9" })).toEqual(["attn_L9_3@3:1"]);
    expect(kept({ text: "·Mary" })).toEqual(["embed@1", "attn_L9_3@3:1"]);
    expect(kept({ text: "mary head" })).toEqual(["attn_L9_3@3:1"]);
    expect(kept({ text: "ablated" })).toEqual(["mlp_L20_426@4"]);
  });

  it("keeps the flagged", () => {
    expect(kept({ flaggedOnly: true })).toEqual(["embed@1"]);
    expect(isFiltered({ ...NO_FILTERS, flaggedOnly: true })).toBe(true);
  });
});

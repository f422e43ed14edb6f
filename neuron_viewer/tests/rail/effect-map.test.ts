import { describe, expect, it } from "vitest";

import { effectMap } from "@/pages/debugger/rail/effect-map";

import { caseOf } from "./cases";

describe("effectMap", () => {
  it("puts four strips on top and layer 0 at the bottom", () => {
    const { model, rows } = effectMap([caseOf(["a", "b"], 3)], "both");
    expect(model.rows.map(({ name }) => name)).toEqual([
      "Embeddings",
      "MLP, all layers",
      "Attention from, all layers",
      "Attention to, all layers",
      "Layer 2",
      "Layer 1",
      "Layer 0",
    ]);
    expect(rows.at(-1)).toEqual({ layer: 0 });
  });

  it("shows both parts of a layer, or one", () => {
    const cases = [caseOf(["a", "b"])];
    const top = (part: "both" | "attn" | "mlp") => effectMap(cases, part).model.rows[4]?.values;
    expect(top("attn")).toEqual([10, 11]);
    expect(top("mlp")).toEqual([-20, -22]);
    expect(top("both")).toEqual([-10, -11]);
  });

  it("shows left minus right of two cases, and nothing where one lacks the token", () => {
    const { model } = effectMap([caseOf(["b", "c"]), caseOf(["a", "b", "c"])], "attn");
    expect(model.rows[4]?.values).toEqual([null, 10 - 11, 11 - 12]);
    expect(model.columns.map(({ isQuiet }) => isQuiet)).toEqual([true, false, false]);
  });

  it("starts at the token that is explained", () => {
    const { model } = effectMap([caseOf(["a", "b", "c"])], "both");
    expect(model.columns.findIndex(({ strong }) => strong)).toBe(2);
    expect(model.home?.column).toBe(2);
  });

  it("has one scale for layers and one for strips", () => {
    const { model, stripMaximum } = effectMap([caseOf(["a", "b", "c", "d"])], "attn");
    expect(model.maximum).toBe(13);
    expect(stripMaximum).toBe(3);
    expect(model.rows[0]?.maximum).toBe(stripMaximum);
  });
});

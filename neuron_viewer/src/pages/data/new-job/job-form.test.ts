import { describe, expect, it } from "vitest";

import type { ModelResponse } from "@/api/types";

import { BY_MODEL, costOf, defaultValues, fieldProblem, FORM_KINDS, requestOf } from "./job-form";

const model = { name: "org/My model", n_layers: 4, d_model: 64 } as ModelResponse;

describe("the form for new jobs", () => {
  it("starts with values that can be sent, but for what is to be chosen", () => {
    for (const kind of FORM_KINDS) {
      const chosen = { coder: "c", dataset: "d" };
      const read = requestOf(kind, { ...defaultValues(kind, model, ["/a/text.jsonl"]), ...chosen }, model);
      expect(read).toHaveProperty("request.kind", kind);
    }
    expect(defaultValues("collate", model, []).name).toBe("my-model-text");
  });

  it("reads counts, layers and lists into the options", () => {
    const values = { ...defaultValues("train_sae", model, ["t"]), layers: "0,2-3", tokens: "1.5M" };
    expect(requestOf("train_sae", values, model)).toMatchObject({
      request: { options: { layers: [0, 2, 3], tokens: 1_500_000, held_out: null } },
    });
    expect(
      requestOf("explain", { dataset: "d", name: "n", components: "mlp_L3, attn_L2_1" }, model),
    ).toMatchObject({ request: { options: { components: ["mlp_L3", "attn_L2_1"] } } });
  });

  it("asks a language model only when told to, and then within a budget", () => {
    const values = { ...defaultValues("explain", model, []), dataset: "d", components: "mlp_L3" };
    expect(costOf("explain", values)).toBeNull();
    const byModel = { ...values, method: BY_MODEL, candidates: "3" };
    expect(costOf("explain", byModel)).toEqual({ dataset: "d", components: ["mlp_L3"], candidates: 3, simulator: "json" });
    expect(requestOf("explain", byModel, model, 5000)).toMatchObject({
      request: { options: { methods: ["llm"], candidates: 3, max_tokens: 5000 } },
    });
    expect(requestOf("explain", values, model, 5000)).toMatchObject({
      request: { options: { methods: ["lookup", "trigger_graph"] } },
    });
    expect(requestOf("explain", { ...byModel, candidates: "none" }, model)).toHaveProperty("problems.candidates");
  });

  it("says what is wrong with which field", () => {
    const read = requestOf("collate", { name: "", corpus: "t", top: "no", window: "64" }, model);
    expect(read).toEqual({ problems: { name: "This is needed.", top: expect.stringContaining("no is no whole") } });
    expect(fieldProblem("options.layers[0]: -1 was given.", "Input should be more.")).toEqual({
      layers: "-1 was given. Input should be more.",
    });
    expect(fieldProblem("The job is done.", "")).toEqual({});
  });
});

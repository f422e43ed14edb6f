import { expect, it } from "vitest";

import { readQuestion, readUi } from "@/lib/url-state";
import { debuggerSearch } from "@/lib/debugger-link";

const model = {
  coders: [
    { name: "first", site: "resid_delta_mlp", layers: [0, 1] },
    { name: "other", site: "mlp_post_act", layers: [0, 1] },
  ],
};
const search = "?p=A+b&t=+c&d=+d&text=my+own&sel=embed%401";

it("goes back to the question with this component's rows in view", () => {
  const params = new URLSearchParams(debuggerSearch(search, "attn_L0_1", null, model));
  expect(readQuestion(params)?.left).toMatchObject({
    prompt: "A b",
    target_tokens: [" c"],
    interventions: [],
  });
  expect(readUi(params)).toMatchObject({ selected: null, filters: { text: "attn_L0_1" } });
  expect(params.has("text")).toBe(false);
});

it("adds the ablation once", () => {
  const once = debuggerSearch(search, "attn_L0_1", "ablate", model);
  expect(readQuestion(new URLSearchParams(once))?.left.interventions).toHaveLength(1);
  expect(debuggerSearch(once, "attn_L0_1", "ablate", model)).toBe(once);
});

it("takes a bare prompt, and starts afresh where there is none", () => {
  expect(new URLSearchParams(debuggerSearch("?prompt=A+b", "attn_L0_1", null, model)).get("p")).toBe("A b");
  expect(debuggerSearch("", "attn_L0_1", "ablate", model)).toBe("");
});

it("asks in the basis of a latent's own coder", () => {
  const basis = (text: string) => readQuestion(new URLSearchParams(text))?.mlp_basis;
  expect(basis(debuggerSearch(search, "mlp_ae_L1_3", "ablate", model))).toBe("first");
  expect(basis(debuggerSearch(`${search}&coder=other`, "mlp_ae_L1_3", "ablate", model))).toBe("other");
  expect(basis(debuggerSearch(`${search}&coder=other`, "mlp_L1_3", "ablate", model))).toBe("neuron");
});

it("drops edits of the coder that gives way", () => {
  const edited = `${search}&mlp=first&i=ablate+mlp_ae_L0_1+zero&coder=other`;
  const left = readQuestion(new URLSearchParams(debuggerSearch(edited, "mlp_ae_L1_3", null, model)))?.left;
  expect(left?.interventions).toEqual([]);
});

import { expect, it } from "vitest";

import { emptyCase, emptyQuestion, toRequest } from "@/lib/question";

import { asLibrary } from "./library-snippet";

const plain = emptyQuestion({ ...emptyCase("gave to"), target_tokens: [" Mary"], distractor_tokens: [" John"] });

it("asks the library the plain question", () => {
  expect(asLibrary(toRequest(plain), "smollm2")).toBe(`from neuron_explainer import Investigation, load_model

model = load_model("smollm2")
investigation = Investigation(model)
case = investigation.case(
    "gave to",
    target=[" Mary"],
    distractor=[" John"],
)
table = investigation.debug([case], top_k=10)
print(table.to_pandas())
`);
});

it("names edits and traces as the library does", () => {
  const question = {
    ...plain,
    left: {
      ...plain.left,
      interventions: [
        { kind: "ablate" as const, component: "attn_L9_9", positions: [13], key_positions: null, value: "zero" as const },
      ],
    },
    traces: [
      { node: "mlp_L3_1@4", through: null, otherNode: null },
      { node: "attn_L2_0@4:1", through: "value" as const, otherNode: null },
    ],
  };
  const text = asLibrary(toRequest(question), "gpt2");
  expect(text).toContain("import Ablate, Component, Investigation, Node, NodeObjective, load_model");
  expect(text).toContain('interventions=[Ablate(Component.parse("attn_L9_9"), positions=(13,), value="zero")]');
  expect(text).toContain(
    'trace=NodeObjective(Node.parse("attn_L2_0@4:1"), "value", NodeObjective(Node.parse("mlp_L3_1@4")))',
  );
  expect(text).toContain("investigation.debug([left, right], top_k=10)");
});

it("loads the coders that stand for neurons and heads", () => {
  const text = asLibrary(toRequest({ ...plain, mlp_basis: "demo-mlp" }), "demo", { "demo-mlp": "demo-mlp:resid_delta_mlp=/c" });
  expect(text).toContain("import Investigation, load_coder_set, load_model");
  expect(text).toContain('Investigation(model, [load_coder_set("demo-mlp:resid_delta_mlp=/c", model.config)])');
  expect(text).toContain('    mlp_basis="demo-mlp",\n)');
  expect(text).not.toContain("attention_basis");
});

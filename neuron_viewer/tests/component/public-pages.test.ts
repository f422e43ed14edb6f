import { expect, it } from "vitest";

import { publicPages } from "@/pages/component/public-pages";

const neuron = { name: "mlp_L6_200", kind: "mlp", layer: 6, index: 200, stream: null } as const;
const head = { ...neuron, name: "attn_L6_2", kind: "attn", index: 2 } as const;
const gpt2 = { name: "gpt2", n_layers: 12, d_model: 768 };

it("links a neuron of GPT-2 small to Neuronpedia, and of GPT-2 XL to OpenAI's viewer", () => {
  expect(publicPages(neuron, gpt2)[0]?.url).toBe("https://www.neuronpedia.org/gpt2-small/6/200");
  const [openai] = publicPages(neuron, { name: "openai-community/gpt2-xl", n_layers: 48, d_model: 1600 });
  expect(openai?.url).toMatch(/#\/layers\/6\/neurons\/200$/);
});

it("links nothing that is not there", () => {
  expect(publicPages(head, gpt2)).toEqual([]);
  expect(publicPages(neuron, { name: "demo", n_layers: 6, d_model: 128 })).toEqual([]);
  expect(publicPages(neuron, { ...gpt2, n_layers: 6 })).toEqual([]);
});

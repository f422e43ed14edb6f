/** Where other sites show the same component. Only ever a link: nothing is fetched from there. */
import type { ModelResponse } from "@/api/types";

import type { Component } from "@/lib/node";

export interface PublicPage {
  site: string;
  url: string;
}

type Model = Pick<ModelResponse, "name" | "n_layers" | "d_model">;

const NEURONPEDIA = "https://www.neuronpedia.org";
const OPENAI = "https://openaipublic.blob.core.windows.net/neuron-explainer/neuron-viewer/index.html";

/** Neurons of GPT-2 small are on Neuronpedia, those of GPT-2 XL in OpenAI's neuron viewer. */
export function publicPages({ kind, layer, index }: Component, { name, n_layers, d_model }: Model): PublicPage[] {
  if (kind !== "mlp") return [];
  const bare = name.split("/").at(-1) ?? name;
  if (/^gpt2(-small)?$/.test(bare) && n_layers === 12 && d_model === 768) {
    return [{ site: "Neuronpedia", url: `${NEURONPEDIA}/gpt2-small/${layer}/${index}` }];
  }
  if (bare === "gpt2-xl" && n_layers === 48) {
    return [{ site: "OpenAI\u2019s neuron viewer", url: `${OPENAI}#/layers/${layer}/neurons/${index}` }];
  }
  return [];
}

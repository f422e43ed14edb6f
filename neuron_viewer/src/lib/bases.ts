/** What stands for the MLPs, attention and the residual stream: their own units, or a coder's latents. */
import type { DebugRequest, ModelResponse } from "@/api/types";

import { type Component, parseComponent, type Stream } from "./node";
import type { Question } from "./question";

export type Coder = ModelResponse["coders"][number];
export type Bases = Required<Pick<DebugRequest, "mlp_basis" | "attention_basis" | "resid_basis">>;
export type BasisOption = { value: string; text: string };

/** What a coder's latents describe again. */
export function streamOf(site: string): Stream {
  if (site.includes("mlp")) return "mlp";
  return site.includes("attn") ? "attn" : "resid";
}

/** What each basis may be; with a single option there is nothing to choose. */
export function basisOptions(coders: readonly Coder[]): Record<Stream, BasisOption[]> {
  const latents = (stream: Stream) =>
    coders.filter(({ site }) => streamOf(site) === stream).map(({ name }) => ({ value: name, text: name }));
  return {
    mlp: [{ value: "neuron", text: "neurons" }, ...latents("mlp")],
    attn: [{ value: "head", text: "heads" }, ...latents("attn")],
    // Nothing is replaced there: latents of the residual stream are listed beside the rest.
    resid: [{ value: "", text: "no residual latents" }, ...latents("resid")],
  };
}

/** What a question's latents belong to, for the calls that go with it. */
export function basesOf({ mlp_basis, attention_basis, resid_basis = null }: DebugRequest): Bases {
  return { mlp_basis, attention_basis, resid_basis };
}

/** The coder that a latent or an error belongs to: the wanted one, else of its stream, and of its layer where there is one. */
export function coderOf<T extends Pick<Coder, "name" | "site" | "layers">>(
  component: Pick<Component, "stream" | "layer">,
  coders: readonly T[],
  wanted?: string | null,
): T | undefined {
  const own = coders.filter((coder) => streamOf(coder.site) === component.stream);
  const named = own.find(({ name }) => name === wanted);
  return named ?? own.find(({ layers }) => layers.includes(component.layer ?? -1)) ?? own[0];
}

/** How many latents there are in a coder's layer: layers may differ. */
export function latentCount(coder: Pick<Coder, "layers" | "n_latents_by_layer"> | undefined, layer: number | null): number {
  return coder?.n_latents_by_layer[coder.layers.indexOf(layer ?? -1)] ?? 0;
}

/** Which half of its layer a component writes through; null for embeddings, biases and the residual stream's latents. */
export function sublayerOf(component: Pick<Component, "kind" | "stream"> | null): "attn" | "mlp" | null {
  if (component?.kind === "attn" || component?.kind === "mlp") return component.kind;
  const stream = component?.stream;
  return stream === "attn" || stream === "mlp" ? stream : null;
}

/**
 * The question in another basis. Latents are numbered within their coder, so edits and traces of the old one's would
 * mean something else in the new one: they go.
 */
export function withBasis(question: Question, stream: Stream, name: string): Question {
  const isKept = (text: string) => {
    const component = parseComponent(text.split("@")[0] ?? "");
    const isCoded = component?.kind === "latent" || component?.kind === "error";
    return !(isCoded && component.stream === stream);
  };
  const at = question.traces.findIndex(({ node }) => !isKept(node));
  const without = <T extends Question["left"]>(side: T): T => ({
    ...side,
    interventions: side.interventions.filter(({ component }) => isKept(component)),
  });
  return {
    ...question,
    left: without(question.left),
    right: question.right && without(question.right),
    // What is traced further on was reached through it.
    traces: at < 0 ? question.traces : question.traces.slice(0, at),
    ...(stream === "mlp" && { mlp_basis: name }),
    ...(stream === "attn" && { attention_basis: name }),
    ...(stream === "resid" && { resid_basis: name || null }),
  };
}

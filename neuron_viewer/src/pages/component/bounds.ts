/** Which components the model has, and what stands beside each of them. */
import type { ModelResponse } from "@/api/types";
import { formatCount } from "@/lib/format";
import { parseComponent, type Component } from "@/lib/node";

type Bounds = Pick<ModelResponse, "n_layers" | "n_heads" | "d_mlp" | "coders">;

/** A component with a layer and an index: the kinds that have a page. */
export type Indexed = Component & { layer: number; index: number };

export type Found = { component: Indexed } | { problem: string };

const FORMS = "Write a head as attn_L9_9, a neuron as mlp_L3_117, a latent as mlp_ae_L3_117.";

/** Read a component's name and check it against the model. */
export function findComponent(name: string, bounds: Bounds): Found {
  const parsed = parseComponent(name.trim());
  if (!parsed) return { problem: `“${name.trim()}” is not the name of a component. ${FORMS}` };
  const { layer, index } = parsed;
  if (layer === null || index === null) {
    return { problem: `${parsed.name} has no page of its own: it is not one unit. ${FORMS}` };
  }
  const component = { ...parsed, layer, index };
  const layers = layersOf(component, bounds);
  if (!layers.includes(layer)) {
    return { problem: `${nounOf(component)}s are in ${rangeText(layers)}; there is no layer ${layer}.` };
  }
  const count = countOf(component, bounds);
  if (index >= count) {
    return {
      problem: `Layer ${layer} has ${nounOf(component)}s 0–${formatCount(count - 1)}; there is no ${index}.`,
    };
  }
  return { component };
}

function layersOf(component: Component, bounds: Bounds): number[] {
  if (component.kind === "latent") return coderOf(component, bounds)?.layers ?? [];
  return Array.from({ length: bounds.n_layers }, (_, layer) => layer);
}

function countOf(component: Component, bounds: Bounds): number {
  if (component.kind === "attn") return bounds.n_heads;
  return component.kind === "mlp" ? bounds.d_mlp : (coderOf(component, bounds)?.n_latents ?? 0);
}

function coderOf(component: Component, { coders }: Bounds) {
  const reads = coders.filter((coder) => streamOf(coder.site) === component.stream);
  return reads.find((coder) => coder.layers.includes(component.layer ?? -1)) ?? reads[0];
}

function streamOf(site: string): Component["stream"] {
  if (site.includes("mlp")) return "mlp";
  return site.includes("attn") ? "attn" : "resid";
}

export function nounOf({ kind }: Component): "head" | "neuron" | "latent" {
  if (kind === "attn") return "head";
  return kind === "mlp" ? "neuron" : "latent";
}

function rangeText(layers: readonly number[]): string {
  const [first] = layers;
  const last = layers.at(-1);
  return first === undefined ? "no layer of this model" : `layers ${first}–${last ?? first}`;
}

/** `neuron 1,262 of 0–1,535 in layer 26 of 0–29` */
export function describeComponent(component: Indexed, bounds: Bounds): string {
  const last = formatCount(countOf(component, bounds) - 1);
  const layers = rangeText(layersOf(component, bounds)).replace("layers ", "");
  return `${nounOf(component)} ${formatCount(component.index)} of 0–${last} in layer ${component.layer} of ${layers}`;
}

export type Direction = "previous" | "next" | "below" | "above";

/** The components next to this one: by index, and the same index one layer down or up; null past the ends. */
export function neighbours(component: Indexed, bounds: Bounds): Record<Direction, Indexed | null> {
  const layers = layersOf(component, bounds);
  const at = layers.indexOf(component.layer);
  const inLayer = (layer: number | undefined) =>
    layer === undefined ? null : renamed(component, layer, component.index);
  return {
    previous: component.index > 0 ? renamed(component, component.layer, component.index - 1) : null,
    next:
      component.index + 1 < countOf(component, bounds)
        ? renamed(component, component.layer, component.index + 1)
        : null,
    below: at > 0 ? inLayer(layers[at - 1]) : null,
    above: at >= 0 ? inLayer(layers[at + 1]) : null,
  };
}

function renamed(component: Indexed, layer: number, index: number): Indexed {
  const stem = component.name.replace(/L\d+_\d+$/, "");
  return { ...component, layer, index, name: `${stem}L${layer}_${index}` };
}

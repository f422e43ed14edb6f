/** Which components the model has, and what stands beside each of them. */
import type { ModelResponse } from "@/api/types";
import { coderOf, latentCount, streamOf } from "@/lib/bases";
import { formatCount } from "@/lib/format";
import { parseComponent, type Component } from "@/lib/node";

/** `coder`: the set that the page tells of, where it is not the first of its stream. */
type Bounds = Pick<ModelResponse, "n_layers" | "n_heads" | "d_mlp" | "coders"> & { coder?: string | null };

export type Found = { component: Component } | { problem: string };

const FORMS =
  "Write a head as attn_L9_9, a neuron as mlp_L3_117, a latent as mlp_ae_L3_117, what a coder misses as mlp_ae_error_L3, the embeddings as embed.";

/** Read a component's name and check it against the model; what is found has its own name: mlp_L03_1 is mlp_L3_1. */
export function findComponent(name: string, bounds: Bounds): Found {
  const component = parseComponent(name.trim());
  if (!component) return { problem: `“${name.trim()}” is not the name of a component. ${FORMS}` };
  const { kind, layer, index } = component;
  if (kind === "bias") return { problem: `bias has no page: it writes the same at every token. ${FORMS}` };
  if (layer === null) return { component };
  const layers = layersOf(component, bounds);
  if (!layers.includes(layer)) {
    return { problem: `${capital(nounOf(component))}s are in ${rangeText(layers)}; there is no layer ${layer}.` };
  }
  const count = countOf(component, bounds);
  if (index !== null && index >= count) {
    return {
      problem: `Layer ${layer} has ${nounOf(component)}s 0–${formatCount(count - 1)}; there is no ${index}.`,
    };
  }
  return { component: renamed(component, layer, index) };
}

function layersOf(component: Component, bounds: Bounds): number[] {
  if (component.stream !== null) return coderOf(component, bounds.coders, bounds.coder)?.layers ?? [];
  return Array.from({ length: bounds.n_layers }, (_, layer) => layer);
}

function countOf(component: Component, bounds: Bounds): number {
  if (component.kind === "attn") return bounds.n_heads;
  return component.kind === "mlp" ? bounds.d_mlp : latentCount(coderOf(component, bounds.coders, bounds.coder), component.layer);
}

const NOUNS: Record<Component["kind"], string> = {
  attn: "head",
  mlp: "neuron",
  latent: "latent",
  error: "coder error",
  embed: "embedding",
  bias: "bias",
};

export function nounOf({ kind }: Component): string {
  return NOUNS[kind];
}

function capital(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}

function rangeText(layers: readonly number[]): string {
  const [first] = layers;
  const last = layers.at(-1);
  return first === undefined ? "no layer of this model" : `layers ${first}–${last ?? first}`;
}

/** `neuron 1,262 of 0–1,535 in layer 26 of 0–29` */
export function describeComponent(component: Component, bounds: Bounds): string {
  const { kind, layer, index, stream } = component;
  if (layer === null) return "token and position embeddings together";
  const layers = rangeText(layersOf(component, bounds)).replace("layers ", "");
  const place = `in layer ${layer} of ${layers}`;
  if (kind === "error") return `what ${coderOf(component, bounds.coders, bounds.coder)?.name ?? "the coder"} misses ${place}`;
  const last = formatCount(countOf(component, bounds) - 1);
  const where = stream === "resid" ? `${nounOf(component)} of the residual stream` : nounOf(component);
  return `${where} ${formatCount(index ?? 0)} of 0–${last} ${place}${rivalsText(component, bounds)}`;
}

export type Direction = "previous" | "next" | "below" | "above";

/** Of which coder, where there are several of its stream. */
function rivalsText(component: Component, { coders, coder }: Bounds): string {
  const rivals = coders.filter(({ site }) => streamOf(site) === component.stream);
  return rivals.length < 2 ? "" : `, coder ${coderOf(component, coders, coder)?.name ?? ""}`;
}

/** The components next to this one: by index, and the same index one layer down or up; null past the ends. */
export function neighbours(component: Component, bounds: Bounds): Record<Direction, Component | null> {
  const { layer, index } = component;
  const layers = layersOf(component, bounds);
  const at = layer === null ? -1 : layers.indexOf(layer);
  const byIndex = (step: 1 | -1) => {
    if (index === null || index + step < 0 || index + step >= countOf(component, bounds)) return null;
    return renamed(component, layer, index + step);
  };
  const byLayer = (step: 1 | -1) => {
    const other = at < 0 ? undefined : layers[at + step];
    if (other === undefined) return null;
    const found = renamed(component, other, index);
    return index !== null && index >= countOf(found, bounds) ? null : found;
  };
  return { previous: byIndex(-1), next: byIndex(1), below: byLayer(-1), above: byLayer(1) };
}

function renamed(component: Component, layer: number | null, index: number | null): Component {
  const stem = component.name.replace(/L\d+(_\d+)?$/, "");
  return { ...component, layer, index, name: `${stem}L${layer}${index === null ? "" : `_${index}`}` };
}

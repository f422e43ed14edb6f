/**
 * Where a component's page is. Latents of two coders of one stream bear the same names, so `?coder=` names the coder
 * set that is meant where it is not the first of its stream, which a page without it shows.
 */
import type { DebugRequest } from "@/api/types";

import { type Bases, type Coder, coderOf, streamOf } from "./bases";
import { parseComponent } from "./node";

type CoderPlace = Pick<Coder, "name" | "site" | "layers">;

/** The name that asks for a latent of `wanted`; null for what no coder has, and for the first coder's own. */
export function askedCoder(name: string, coders: readonly CoderPlace[], wanted: string | null): string | null {
  const component = parseComponent(name);
  const meant = component ? coderOf(component, coders, wanted) : undefined;
  if (!meant) return null;
  const first = coders.find(({ site }) => streamOf(site) === component?.stream);
  return meant.name === first?.name ? null : meant.name;
}

/** The same for a node of the Debugger's table, whose latents are those of the request's bases. */
export function basisCoder(name: string, request: DebugRequest, coders: readonly CoderPlace[]): string | null {
  const bases = { mlp: request.mlp_basis, attn: request.attention_basis, resid: request.resid_basis };
  const stream = parseComponent(name)?.stream;
  return askedCoder(name, coders, stream ? (bases[stream] ?? null) : null);
}

/** The page of a component in the basis of the Debugger's question in `search`, or of the coder that it names. */
export function componentPath(
  name: string,
  search: string,
  coders: readonly CoderPlace[],
): { pathname: string; search: string } {
  const params = new URLSearchParams(search);
  const stream = parseComponent(name)?.stream;
  const wanted = params.get("coder") ?? (stream ? params.get(stream) : null);
  const coder = askedCoder(name, coders, wanted);
  if (coder !== null) params.set("coder", coder);
  else if (stream) params.delete("coder");
  return { pathname: `/component/${name}`, search: params.toString() };
}

/** The bases in which a component is a node: for a latent or an error its coder's, else the model's own. */
export function basesFor(name: string, coders: readonly CoderPlace[], wanted: string | null): Bases {
  const component = parseComponent(name);
  const coder = component ? (coderOf(component, coders, wanted)?.name ?? null) : null;
  const of = (stream: string) => (component?.stream === stream ? coder : null);
  return { mlp_basis: of("mlp") ?? "neuron", attention_basis: of("attn") ?? "head", resid_basis: of("resid") };
}

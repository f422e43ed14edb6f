/** Where the Go-to dialog can lead for what has been typed. */
import type { ModelResponse } from "@/api/types";
import { coderOf, latentCount } from "@/lib/bases";
import { componentOf, parseComponent } from "@/lib/node";

import { PAGES } from "./pages";

export type Destination = { to: string; name: string; note: string };

export function destinations(text: string, model: ModelResponse | undefined): Destination[] {
  const wanted = text.trim().toLowerCase();
  const component = componentDestination(componentOf(wanted), model);
  const pages = [
    ...PAGES.map(({ path, name }) => ({ to: path, name, note: "page" })),
    { to: "keys", name: "All keys", note: "list" },
  ];
  return [...component, ...pages.filter(({ name }) => name.toLowerCase().includes(wanted))];
}

function componentDestination(wanted: string, model: ModelResponse | undefined): Destination[] {
  const name = wanted.replace(/_l(?=\d)/, "_L").replace(/^(attn|mlp|resid)[ .]?l?(\d+)[ ._:](\d+)$/, "$1_L$2_$3");
  const component = parseComponent(name);
  if (!component || component.kind === "bias" || component.kind === "error") return [];
  const { layer, index, kind } = component;
  if (model && layer !== null && layer >= model.n_layers) return [];
  const coder = kind === "latent" ? coderOf(component, model?.coders ?? []) : undefined;
  if (kind === "latent" && model && !coder?.layers.includes(layer ?? -1)) return [];
  const count = { attn: model?.n_heads, mlp: model?.d_mlp, latent: coder && latentCount(coder, layer) }[kind as "attn" | "mlp" | "latent"];
  if (count !== undefined && (index ?? 0) >= count) return [];
  return [{ to: `/component/${name}`, name, note: "component" }];
}

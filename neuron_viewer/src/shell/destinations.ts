/** Where the Go-to dialog can lead for what has been typed. */
import type { ModelResponse } from "@/api/types";
import { coderOf, latentCount } from "@/lib/bases";
import { componentPath } from "@/lib/component-link";
import { componentOf, parseComponent } from "@/lib/node";

import { carriedSearch } from "./carried-search";
import { completions } from "./completions";
import { PAGES } from "./pages";

export type Destination = { to: string; search: string; name: string; note: string };

/** `search` is that of the page where the dialog is open: its question goes along, and its choice of coders. */
export function destinations(text: string, model: ModelResponse | undefined, search = ""): Destination[] {
  const wanted = text.trim().toLowerCase();
  const component = componentDestination(componentOf(wanted), model, search);
  const pages = [
    ...PAGES.map(({ path, name }) => ({ to: path, search: carriedSearch(search), name, note: "page" })),
    { to: "keys", search: "", name: "All keys", note: "list" },
  ];
  const found = [...component, ...pages.filter(({ name }) => name.toLowerCase().includes(wanted))];
  return [...found, ...completed(componentOf(wanted), model, search).filter(({ to }) => !found.some((one) => one.to === to))];
}

function completed(text: string, model: ModelResponse | undefined, search: string): Destination[] {
  if (!model) return [];
  const own = ownSearch(search);
  return completions(text, model, new URLSearchParams(own).get("coder")).map(({ name, note }) => {
    const path = componentPath(name, own, model.coders);
    return { to: path.pathname, search: path.search, name, note };
  });
}

function componentDestination(wanted: string, model: ModelResponse | undefined, search: string): Destination[] {
  const name = wanted.replace(/_l(?=\d)/, "_L").replace(/^(attn|mlp|resid)[ .]?l?(\d+)[ ._:](\d+)$/, "$1_L$2_$3");
  const component = parseComponent(name);
  if (!component || component.kind === "bias" || component.kind === "error") return [];
  const { layer, index, kind } = component;
  if (model && layer !== null && layer >= model.n_layers) return [];
  const path = componentPath(name, ownSearch(search), model?.coders ?? []);
  const chosen = new URLSearchParams(path.search).get("coder");
  const coder = kind === "latent" ? coderOf(component, model?.coders ?? [], chosen) : undefined;
  if (kind === "latent" && model && !coder?.layers.includes(layer ?? -1)) return [];
  const count = { attn: model?.n_heads, mlp: model?.d_mlp, latent: coder && latentCount(coder, layer) }[kind as "attn" | "mlp" | "latent"];
  if (count !== undefined && (index ?? 0) >= count) return [];
  return [{ to: path.pathname, search: path.search, name, note: "component" }];
}

/** What the page of another component keeps: the question, and whose latents are looked at. */
function ownSearch(search: string): string {
  const coder = new URLSearchParams(search).get("coder");
  const carried = new URLSearchParams(carriedSearch(search));
  if (coder !== null) carried.set("coder", coder);
  return carried.toString();
}

/**
 * Names of components and nodes, read as `neuron_explainer/nodes.py` reads them; both suites share
 * `tests/node_names.json`. `attn_L9_9@13:1` is head 9 of layer 9, from token 13 (query) to token 1 (key).
 */
export type Kind = "embed" | "attn" | "mlp" | "latent" | "error" | "bias";
export type Stream = "attn" | "mlp" | "resid";
export type Component = {
  name: string;
  kind: Kind;
  layer: number | null;
  index: number | null;
  stream: Stream | null;
};
export type Node = {
  name: string;
  component: Component;
  position: number | null;
  keyPosition: number | null;
};

const ENDS = /^(embed|bias)$/;
const ERROR = /^(attn|mlp|resid)_ae_error_L([0-9]{1,4})$/;
const LATENT = /^(attn|mlp|resid)_ae_L([0-9]{1,4})_([0-9]{1,9})$/;
const PLAIN = /^(attn|mlp)_L([0-9]{1,4})_([0-9]{1,9})$/;
const PLACE = /^([0-9]{1,7})(?::([0-9]{1,7}))?$/;

/** Null when the text is not the name of a component. */
export function parseComponent(name: string): Component | null {
  if (name.endsWith("\n")) return null; // `$` would let one newline pass
  const end = ENDS.exec(name);
  if (end) return { name, kind: end[1] as Kind, layer: null, index: null, stream: null };
  const error = ERROR.exec(name);
  if (error) {
    return { name, kind: "error", layer: Number(error[2]), index: null, stream: error[1] as Stream };
  }
  const latent = LATENT.exec(name);
  if (latent) {
    const [, stream, layer, index] = latent;
    return { name, kind: "latent", layer: Number(layer), index: Number(index), stream: stream as Stream };
  }
  const plain = PLAIN.exec(name);
  if (!plain) return null;
  const [, kind, layer, index] = plain;
  return { name, kind: kind as Kind, layer: Number(layer), index: Number(index), stream: null };
}

/** Null when the text is not the name of a node, or the pair looks ahead. */
export function parseNode(name: string): Node | null {
  const at = name.indexOf("@");
  const component = parseComponent(at < 0 ? name : name.slice(0, at));
  if (!component) return null;
  if (component.kind === "bias") {
    return at < 0 ? { name, component, position: null, keyPosition: null } : null;
  }
  const place = at < 0 ? null : PLACE.exec(name.slice(at + 1));
  if (!place || name.endsWith("\n")) return null;
  const position = Number(place[1]);
  const keyPosition = place[2] === undefined ? null : Number(place[2]);
  if ((keyPosition !== null) !== (component.kind === "attn")) return null;
  if (keyPosition !== null && keyPosition > position) return null;
  return { name, component, position, keyPosition };
}

/** A node's component as text: what stands before the `@`. */
export function componentOf(node: string): string {
  const at = node.indexOf("@");
  return at < 0 ? node : node.slice(0, at);
}

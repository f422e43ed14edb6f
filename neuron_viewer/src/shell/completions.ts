/** Names of components that a text begins, or one example of each kind: what the Go-to dialog offers beside pages. */
import type { ModelResponse } from "@/api/types";
import { type Coder, coderOf, latentCount, streamOf } from "@/lib/bases";

export type Completion = { name: string; note: string };

type Model = Pick<ModelResponse, "n_layers" | "n_heads" | "d_mlp" | "coders">;
type Family = { stem: string; noun: string; plural: string; of: string; layers: readonly number[]; count: (layer: number) => number };

const MOST = 8;
/** `attn_l4_1`, as far as it is typed. */
const PLACE = /^_l(\d*)(?:_(\d*))?$/;

/** `text` is in lower case. A word for the kind (`neuron`) gives its example too. */
export function completions(text: string, model: Model, coder: string | null): Completion[] {
  const typed = text.replace(/[ .:]+/g, "_").replace(/^(attn|mlp|resid)(_ae)?_?(?=\d)/, "$1$2_l");
  return familiesOf(model, coder).flatMap((family) => {
    const place = typed.startsWith(family.stem) ? PLACE.exec(typed.slice(family.stem.length)) : null;
    if (place?.[1]) return within(family, place[1], place[2]);
    const isBegun = `${family.stem}_l`.startsWith(typed) || (typed.length > 1 && family.plural.startsWith(typed));
    return isBegun ? [exampleOf(family)] : [];
  });
}

function familiesOf({ n_layers, n_heads, d_mlp, coders }: Model, wanted: string | null): Family[] {
  const layers = Array.from({ length: n_layers }, (_, layer) => layer);
  const streams = [...new Set(coders.map(({ site }) => streamOf(site)))];
  return [
    { stem: "attn", noun: "head", plural: "heads", of: "", layers, count: () => n_heads },
    { stem: "mlp", noun: "neuron", plural: "neurons", of: "", layers, count: () => d_mlp },
    ...streams.flatMap((stream) => {
      const coder = coderOf({ stream, layer: null }, coders, wanted);
      return coder ? [latentsOf(`${stream}_ae`, coder)] : [];
    }),
  ];
}

function latentsOf(stem: string, coder: Coder): Family {
  const count = (layer: number) => latentCount(coder, layer);
  return { stem, noun: "latent", plural: "latents", of: ` of ${coder.name}`, layers: coder.layers, count };
}

/** The first of its kind, and what the others are. */
function exampleOf({ stem, noun, of, layers, count }: Family): Completion {
  const first = layers[0] ?? 0;
  const last = layers.at(-1) ?? first;
  const sizes = layers.map(count);
  return { name: `${stem}_L${first}_0`, note: `${noun}${of}: layers ${first}\u2013${last}, 0\u2013${Math.max(...sizes) - 1}` };
}

/** Those whose layer and index begin so; without an index the first of each layer. */
function within({ stem, noun, of, layers, count }: Family, layer: string, index: string | undefined): Completion[] {
  const named = (at: number, unit: number) => ({
    name: `${stem}_L${at}_${unit}`,
    note: `${noun}${of}: 0\u2013${count(at) - 1} in this layer`,
  });
  if (index === undefined) {
    return layers.filter((at) => String(at).startsWith(layer)).slice(0, MOST).map((at) => named(at, 0));
  }
  const at = Number(layer);
  return layers.includes(at) ? begun(index, count(at)).map((unit) => named(at, unit)) : [];
}

/** The first whole numbers below `count` that begin with these digits: 1, 10, 11, ... */
function begun(digits: string, count: number): number[] {
  const found: number[] = [];
  for (let scale = 1; scale <= count && found.length < MOST; scale *= 10) {
    const least = digits === "" ? 0 : Number(digits) * scale;
    for (let unit = least; unit < count && unit < least + scale && found.length < MOST; unit++) {
      if (String(unit).startsWith(digits) && !found.includes(unit)) found.push(unit);
    }
  }
  return found;
}

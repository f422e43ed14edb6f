import type { Kind } from "@/lib/node";

export const KIND_NAMES: Record<Kind, { letter: string; name: string }> = {
  embed: { letter: "E", name: "Embeddings" },
  attn: { letter: "A", name: "Attention" },
  mlp: { letter: "M", name: "MLP" },
  latent: { letter: "L", name: "Latents" },
  bias: { letter: "B", name: "Biases" },
  error: { letter: "\u03b5", name: "Coder error" },
};

/** The letter and colour of a kind of component. */
export function KindMark({ kind }: { kind: Kind }) {
  const { letter, name } = KIND_NAMES[kind];
  return (
    <span className={`k k-${kind}`} title={name}>
      {letter}
    </span>
  );
}

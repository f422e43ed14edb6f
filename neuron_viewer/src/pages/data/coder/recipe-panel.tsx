import type { CoderCard, CoderSetInfo } from "@/api/jobs";
import { formatCount } from "@/lib/format";

/** What a recipe's fields are called here, in the order they are read; others follow under their own names. */
const NAMES: Record<string, string> = {
  corpus: "text",
  script: "made by",
  tokens: "tokens",
  batch_tokens: "tokens a step",
  window: "window",
  join_documents: "short documents",
  n_latents: "latents",
  nonlinearity: "nonlinearity",
  k: "active a token",
  l1: "L1 weight",
  l0: "L0 weight",
  learning_rate: "learning rate",
  warmup: "rises over",
  decay: "falls over",
  revival: "dead latents by",
  dead_after: "dead after",
  auxiliary_weight: "auxiliary weight",
  seed: "seed",
};
/** Settings that say nothing where the recipe above does not use them, and what the table shows already. */
const LEFT_OUT = new Set(["penalty_warmup", "bandwidth", "resample_at", "auxiliary_k", "buffer_batches", "n_latents"]);

/** How a layer's coder was trained, as its card and its set's folder say. */
export function RecipePanel({ set, coder }: { set: CoderSetInfo; coder: CoderCard }) {
  const recipe: Record<string, unknown> = { ...set.recipe, ...coder.recipe };
  const known = Object.keys(NAMES).filter((name) => name in recipe);
  const names = [...known, ...Object.keys(recipe).filter((name) => !(name in NAMES))];
  const facts = names.filter((name) => !LEFT_OUT.has(name) && recipe[name] !== null && recipe[name] !== "");
  return (
    <section className="panel" aria-labelledby="recipe-title">
      <header>
        <h2 id="recipe-title">Recipe</h2>
        <span className="note">layer {coder.layer}</span>
      </header>
      <dl className="pad kv recipe">
        {facts.map((name) => (
          <div key={name} className="contents">
            <dt>{NAMES[name] ?? name.replaceAll("_", " ")}</dt>
            <dd>{valueText(name, recipe[name])}</dd>
          </div>
        ))}
        <dt>folder</dt>
        <dd>
          <code className="wrap">{set.path}</code>
        </dd>
      </dl>
    </section>
  );
}

function valueText(name: string, value: unknown): string {
  if (name === "join_documents") return value ? "share a window" : "read apart";
  if (name === "warmup" || name === "decay") return `${Math.round(100 * Number(value))}% of the steps`;
  if (name === "dead_after") return `${formatCount(Number(value))} silent tokens`;
  if (typeof value === "number") return Number.isInteger(value) ? formatCount(value) : String(value);
  return typeof value === "string" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}

import type { CoderSetInfo } from "@/api/jobs";
import { formatCount } from "@/lib/format";

/** How a coder set was trained, as its folder says. */
export function RecipePanel({ set }: { set: CoderSetInfo }) {
  const facts = Object.entries(set.recipe).filter(([, value]) => value !== null && value !== "");
  return (
    <section className="panel" aria-labelledby="recipe-title">
      <header>
        <h2 id="recipe-title">Recipe</h2>
      </header>
      <dl className="pad kv recipe">
        {facts.map(([name, value]) => (
          <div key={name} className="contents">
            <dt>{name.replaceAll("_", " ")}</dt>
            <dd>{valueText(value)}</dd>
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

function valueText(value: unknown): string {
  if (typeof value === "number") return Number.isInteger(value) ? formatCount(value) : String(value);
  return typeof value === "string" || typeof value === "boolean" ? String(value) : JSON.stringify(value);
}

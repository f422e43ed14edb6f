import type { ModelResponse } from "@/api/types";

type Props = { model: Pick<ModelResponse, "datasets"> };

/** Why there is nothing here, said once and truly. */
function reason({ datasets }: Props["model"], what: string): string {
  return datasets.length === 0
    ? `No dataset is loaded for this model, so there are no ${what} yet.`
    : `This version does not show ${what} yet.`;
}

/** Where the explanation of each side will stand. */
export function NoExplanation({ model }: Props) {
  return (
    <section className="sides one" aria-label="Explanation">
      <p className="side-empty mid">{reason(model, "explanations")}</p>
    </section>
  );
}

/** Where the exemplars will stand. */
export function NoExemplars({ model }: Props) {
  return (
    <section className="panel exs" aria-labelledby="exemplars-title">
      <header>
        <h2 id="exemplars-title">Exemplars</h2>
      </header>
      <p className="pad mid">{reason(model, "exemplars")}</p>
    </section>
  );
}

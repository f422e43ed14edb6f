/**
 * Marks a number (or a header) with what it is; `DefinitionHost` shows the glossary's sentence for it on hover,
 * on focus, and on `?`. Spread the result on any element: `<td {...define("total_effect", {exact, unit})}>`.
 */
export type Definable = { exact?: number | null | undefined; unit?: string | undefined; node?: string | undefined };
export type DefineProps = {
  "data-define": string;
  "data-exact"?: string;
  "data-unit"?: string;
  "data-node"?: string;
};

export function define(term: string, { exact, unit, node }: Definable = {}): DefineProps {
  return {
    "data-define": term,
    ...(exact !== null && exact !== undefined && { "data-exact": String(exact) }),
    ...(unit && { "data-unit": unit }),
    ...(node && { "data-node": node }),
  };
}

/** Title and formula of the terms that have one; the sentence comes from the server's glossary. */
export const TERMS: Record<string, { title: string; formula?: string; estimate?: true }> = {
  activation: { title: "Activation" },
  write_magnitude: { title: "Write", formula: "|write|" },
  direct_effect: { title: "Direct effect", formula: "<write, G>" },
  total_effect: { title: "Total effect", formula: "a \u00b7 dJ/da", estimate: true },
  measured_effect: { title: "Measured effect", formula: "J \u2212 J(write replaced by zero)" },
  objective: { title: "Objective", formula: "J" },
  logit_diff: { title: "Logit difference", formula: "mean target logit \u2212 mean distractor logit" },
  prob: { title: "Probability" },
  explained_variance: { title: "Explained variance", formula: "1 \u2212 \u03a3|x \u2212 r|\u00b2 / \u03a3|x \u2212 mean|\u00b2" },
  normalized_mse: { title: "Normalised MSE", formula: "\u03a3|x \u2212 r|\u00b2 / \u03a3|x|\u00b2" },
  l0: { title: "L0: latents active per token" },
  dead_fraction: { title: "Dead latents" },
  loss_recovered: { title: "Loss recovered", formula: "(zero \u2212 spliced) / (zero \u2212 bare)" },
  loss: { title: "Next-token loss" },
  logit: { title: "Logit" },
};

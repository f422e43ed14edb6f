/** Records made up for tests, in the shape that the server gives them. */
import type { ComponentRecord, Exemplar } from "@/api/types";

export function exemplar(text: string, values: readonly number[], peak: number): Exemplar {
  const tokens = text.match(/ ?[^ ]+/g) ?? [];
  return { tokens, token_ids: [], activations: [...values], peak, peak_key: null, value: values[peak] ?? 0, source: "tests" };
}

/** `from` attends to `to` with the given weight, and evenly to the rest. */
export function pair(text: string, from: number, to: number, value: number): Exemplar {
  const tokens = text.match(/ ?[^ ]+/g) ?? [];
  const activations = tokens.map((_, query) =>
    Array.from({ length: query + 1 }, (__, key) => (query === from && key === to ? value : 0.1)),
  );
  return { tokens, token_ids: [], activations, peak: from, peak_key: to, value, source: "tests" };
}

export function record(changes: Partial<ComponentRecord> = {}): ComponentRecord {
  return {
    component: "mlp_L3_117",
    dataset: "demo",
    measure: "activation",
    statistics: {
      n_tokens: 1000,
      n_values: 1000,
      mean: 0.1,
      std: 0.5,
      fraction_active: 0.25,
      min: -2,
      max: 4,
      quantiles: { "1e-05": -1.9, "0.01": -1, "0.5": 0, "0.99": 2, "0.999": 3, "0.99999": 3.9 },
    },
    histogram: { edges: [-2, -1, -0.01, 0.01, 1, 2, 4], counts: [10, 90, 500, 300, 90, 10] },
    exemplars: {
      top_positive: [exemplar("a big red dog", [0, 1, 4, 0], 2), exemplar("one more", [3, 0], 0)],
      top_negative: [exemplar("not this", [0, -2], 1)],
      random: [exemplar("any text", [0.1, 0], 0)],
      quantiles: [
        { from: 0.5, to: 0.99, exemplars: [exemplar("so so", [0.5, 0], 0)] },
        { from: 0.99, to: 0.999, exemplars: [exemplar("quite so", [2.5, 0], 0)] },
        { from: 0.999, to: 0.9999, exemplars: [] },
      ],
    },
    explanations: [],
    caveats: [],
    ...changes,
  };
}

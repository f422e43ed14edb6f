/** What a dataset holds about one component. */

export interface Exemplar {
  tokens: string[];
  /** A value for each token; for a head a row for each query, of the keys up to it. */
  activations: (number | number[])[];
  /** The token it was picked for; for a head the query. */
  peak: number;
  /** Heads: the token that `peak` attends to. */
  peak_key?: number | null;
  value: number;
  source: string;
}

export interface QuantileBand {
  from: number;
  to: number;
  exemplars: Exemplar[];
}

export interface Statistics {
  n_tokens: number | null;
  /** One value per token; for a head one per pair. */
  n_values: number | null;
  mean: number | null;
  std: number | null;
  fraction_active: number | null;
  min: number | null;
  max: number | null;
  quantiles: Record<string, number>;
}

export interface Explanation {
  text: string;
  side: "positive" | "negative";
  score: number | null;
  scores: Record<string, number | null>;
  explainer: string;
  created: string;
}

export interface ComponentRecord {
  component: string;
  dataset: string;
  measure: "activation" | "write_magnitude";
  statistics: Statistics;
  histogram: { edges: number[]; counts: number[] };
  exemplars: {
    top_positive: Exemplar[];
    top_negative: Exemplar[];
    random: Exemplar[];
    quantiles: QuantileBand[];
  };
  explanations: Explanation[];
  /** What to know before trusting the numbers. */
  caveats: string[];
}

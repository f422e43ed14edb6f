/**
 * What is searched for, written in the URL and read back: `find`, `mode`, `type` (kind), `layer`, `side`, `min`, `density`,
 * `dataset`.
 * The names differ from those of the Debugger's question, which the URL may carry along.
 */
export const MODES = ["meaning", "keyword", "token", "text"] as const;
export type Mode = (typeof MODES)[number];

export const KINDS = ["attn", "mlp", "latent"] as const;
export type SearchKind = (typeof KINDS)[number];

export const SIDES = ["positive", "negative"] as const;
export type SearchSide = (typeof SIDES)[number];

/** Density: the share of a component's values that are of an explanation's side; from and to. */
export const DENSITIES = ["0-0.001", "0-0.01", "0-0.1", "0.1-0.5", "0.5-1"] as const;
export type Density = (typeof DENSITIES)[number];

export interface SearchState {
  query: string;
  mode: Mode;
  kind: SearchKind | null;
  layer: number | null;
  side: SearchSide | null;
  /** Least score of an explanation. */
  minScore: number | null;
  density: Density | null;
  /** By text: the dataset whose quantiles count; null for the first. */
  dataset: string | null;
}

export const NO_SEARCH: SearchState = {
  query: "",
  mode: "meaning",
  kind: null,
  layer: null,
  side: null,
  minScore: null,
  density: null,
  dataset: null,
};

export function readSearch(params: URLSearchParams): SearchState {
  return {
    query: params.get("find") ?? "",
    mode: oneOf(MODES, params.get("mode")) ?? "meaning",
    kind: oneOf(KINDS, params.get("type")),
    layer: numberIn(params.get("layer"), /^\d{1,4}$/),
    side: oneOf(SIDES, params.get("side")),
    minScore: numberIn(params.get("min"), /^-?\d?\.?\d{1,3}$/),
    density: oneOf(DENSITIES, params.get("density")),
    dataset: params.get("dataset"),
  };
}

/** The URL with another search; all else in it, and the order of it, stays. */
export function writeSearch(old: URLSearchParams, state: SearchState): URLSearchParams {
  const params = new URLSearchParams(old);
  const { query, mode, kind, layer, side, minScore, density, dataset } = state;
  const texts: Record<string, string | null> = {
    find: query || null,
    mode: mode === NO_SEARCH.mode ? null : mode,
    type: kind,
    layer: layer === null ? null : String(layer),
    side,
    min: minScore === null ? null : String(minScore),
    density,
    dataset,
  };
  for (const [name, text] of Object.entries(texts)) {
    if (text === null) params.delete(name);
    else params.set(name, text);
  }
  return params;
}

/**
 * What is searched for once the mode is another: what was typed there before, else what is typed now. Words are no token
 * and a token is no sentence: between that mode and the others nothing is taken over.
 */
export function queryIn({ from, to }: { from: Mode; to: Mode }, typed: string, kept: Partial<Record<Mode, string>>): string {
  if (from === to) return typed;
  return kept[to] ?? (from === "token" || to === "token" ? "" : typed);
}

/** The ends of a range of densities, as the API names them; an end that says nothing is left open. */
export function densityRange(density: Density | null): { min_density: number | null; max_density: number | null } {
  const [least = 0, most = 1] = density === null ? [] : density.split("-").map(Number);
  return { min_density: least > 0 ? least : null, max_density: most < 1 ? most : null };
}

function oneOf<T extends string>(allowed: readonly T[], text: string | null): T | null {
  return allowed.find((one) => one === text) ?? null;
}

function numberIn(text: string | null, form: RegExp): number | null {
  return text !== null && form.test(text) ? Number(text) : null;
}

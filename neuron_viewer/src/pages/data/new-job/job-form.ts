/** The fields of the form for new jobs, and the request that their values become. */
import { WITHOUT_A_MODEL, type JobRequest } from "@/api/jobs";
import type { EstimateRequest } from "@/api/explanations";
import type { ModelResponse } from "@/api/types";

import { type Read, readCount, readLayers } from "./read-values";

export const FORM_KINDS = ["collate", "train_sae", "eval_sae", "explain"] as const;
export type FormKind = (typeof FORM_KINDS)[number];
export type Values = Record<string, string>;
export type Problems = Record<string, string>;

export type FieldSpec = {
  name: string;
  label: string;
  hint: string;
  type: "text" | "corpus" | "site" | "coder" | "coders" | "dataset" | "choice";
  /** Of a choice: what there is to choose. */
  options?: readonly string[];
};

/** How components are explained. */
export const BY_RULES = "rules, without a language model";
export const BY_MODEL = "a language model";

const CORPUS: FieldSpec = {
  name: "corpus",
  label: "Text",
  hint: "A file of text, JSON lines or Parquet on the server, a folder, or a Hugging Face dataset.",
  type: "corpus",
};
const NAME: FieldSpec = { name: "name", label: "Name", hint: "Letters, digits, dots and dashes.", type: "text" };
const TOKENS: FieldSpec = { name: "tokens", label: "Tokens", hint: "At most so many, as in 2M; empty: all.", type: "text" };

export const FIELDS: Record<FormKind, FieldSpec[]> = {
  collate: [
    NAME,
    CORPUS,
    TOKENS,
    { name: "top", label: "Excerpts", hint: "Kept on each side of a component.", type: "text" },
    { name: "window", label: "Window", hint: "Tokens of an excerpt.", type: "text" },
    { name: "coders", label: "Latents of", hint: "Coder sets that are collated too.", type: "coders" },
  ],
  train_sae: [
    NAME,
    CORPUS,
    { name: "site", label: "Site", hint: "What the coders take apart.", type: "site" },
    { name: "layers", label: "Layers", hint: "As in all, 0-3 or 1,4. All are trained in one pass.", type: "text" },
    { name: "latents", label: "Latents", hint: "Of each coder.", type: "text" },
    { name: "k", label: "Active (k)", hint: "Latents active per token.", type: "text" },
    { name: "tokens", label: "Tokens", hint: "To train on, as in 2M.", type: "text" },
    { name: "held_out", label: "Judge on", hint: "Another text, read at the end; may be empty.", type: "corpus" },
  ],
  explain: [
    { name: "dataset", label: "Dataset", hint: "Whose excerpts are read.", type: "dataset" },
    NAME,
    {
      name: "components",
      label: "Which",
      hint: "As in mlp_L3, mlp_L3_0-99 or attn_L2_1, with commas between; empty: all.",
      type: "text",
    },
    { name: "method", label: "By", hint: "A language model may cost money: what it takes is told below.", type: "choice", options: [BY_RULES, BY_MODEL] },
    { name: "candidates", label: "Best of", hint: "Phrases of a language model to choose from.", type: "text" },
  ],
  eval_sae: [{ name: "coder", label: "Coders", hint: "The set to judge.", type: "coder" }, CORPUS, TOKENS],
};

export function defaultValues(kind: FormKind, model: ModelResponse, corpora: readonly string[]): Values {
  const corpus = corpora[0] ?? "";
  const stem = model.name.replace(/^.*\//, "").replaceAll(/[^\w.-]/g, "-").toLowerCase();
  if (kind === "collate") return { name: `${stem}-text`, corpus, top: "20", window: "64" };
  if (kind === "explain") return { name: stem, method: BY_RULES, candidates: "1" };
  if (kind === "eval_sae") return { corpus, tokens: "65,536" };
  return {
    name: `${stem}-mlp`,
    corpus,
    site: "resid_delta_mlp",
    layers: "all",
    latents: String(8 * model.d_model),
    k: String(Math.max(4, Math.round(model.d_model / 16))),
    tokens: "2M",
  };
}

/**
 * The request, or what is wrong with which field. What the server alone can know, it says. A job that asks a language
 * model stops at its budget, in tokens.
 */
export function requestOf(
  kind: FormKind,
  values: Values,
  model: ModelResponse,
  budget?: number,
): { request: JobRequest } | { problems: Problems } {
  const problems: Problems = {};
  const text = (name: string): string => values[name]?.trim() ?? "";
  const needed = (name: string): string => {
    if (text(name) === "") problems[name] = "This is needed.";
    return text(name);
  };
  const taken = <T>(name: string, read: Read<T>, none: T): T => {
    if ("value" in read) return read.value;
    problems[name] = read.problem;
    return none;
  };
  const count = (name: string): number | null => taken(name, readCount(text(name)), null);
  const neededCount = (name: string): number => {
    const value = count(name);
    if (value === null) problems[name] ??= "This is needed.";
    return value ?? 1;
  };
  const request = read();
  return Object.keys(problems).length > 0 ? { problems } : { request };

  function read(): JobRequest {
    const corpus = kind === "explain" ? "" : needed("corpus");
    switch (kind) {
      case "explain":
        return {
          kind,
          options: {
            ...WITHOUT_A_MODEL,
            ...(isByModel(values) ? { methods: ["llm"], candidates: neededCount("candidates"), max_tokens: budget ?? null } : {}),
            dataset: needed("dataset"),
            name: needed("name"),
            components: componentsOf(values),
          },
        };
      case "collate":
        return {
          kind,
          options: {
            name: needed("name"),
            corpus,
            tokens: count("tokens"),
            top: neededCount("top"),
            window: neededCount("window"),
            coders: text("coders").split("\n").filter(Boolean),
          },
        };
      case "train_sae":
        return {
          kind,
          options: {
            name: needed("name"),
            corpus,
            site: text("site") as "resid_delta_mlp",
            layers: taken("layers", readLayers(text("layers"), model.n_layers), []),
            latents: neededCount("latents"),
            k: neededCount("k"),
            tokens: neededCount("tokens"),
            held_out: text("held_out") || null,
            seed: 0,
          },
        };
      case "eval_sae":
        return { kind, options: { coder: needed("coder"), corpus, tokens: count("tokens") } };
    }
  }
}

/** Whether an explain job would ask a language model. */
export function isByModel(values: Values): boolean {
  return values.method === BY_MODEL;
}

/** What an explain job by a language model is about; null while that is not known, or it asks none. */
export function costOf(kind: FormKind, values: Values): EstimateRequest | null {
  const candidates = readCount(values.candidates ?? "");
  if (kind !== "explain" || !isByModel(values) || !values.dataset || !("value" in candidates)) return null;
  return {
    dataset: values.dataset,
    components: componentsOf(values),
    candidates: Math.min(candidates.value ?? 1, 100),
    simulator: "json",
  };
}

function componentsOf(values: Values): string[] {
  return (values.components ?? "").split(/[\s,]+/).filter(Boolean);
}

/** The field that an error of the server's begins with, as in `options.layers[0]: ...`, and what it says of it. */
export function fieldProblem(message: string, hint: string): Problems {
  const found = /^options\.([a-z_0-9]+)[\w.[\]]*: ([\s\S]*)$/.exec(message);
  return found?.[1] ? { [found[1]]: [found[2], hint].filter(Boolean).join(" ") } : {};
}

/** Which of the served datasets hold something on a component, in the order they are offered. */
import type { DatasetInfo, ModelResponse } from "@/api/types";
import { coderOf } from "@/lib/bases";
import { formatCount } from "@/lib/format";
import type { Component } from "@/lib/node";

export interface DatasetChoice {
  name: string;
  /** Its name, size and kind; or why it is of no use here. */
  text: string;
  isHeld: boolean;
  /** What it is made of, and its caveats. */
  about: string;
}

type Model = Pick<ModelResponse, "datasets" | "coders">;

/**
 * Those that hold the component first, the server's order kept: the first of them is what a page without `?dataset=`
 * shows. The others follow, with what they lack; and a name that is asked for and not served.
 */
export function datasetChoices(component: Component, model: Model, coder: string | null, asked: string | null): DatasetChoice[] {
  const all = model.datasets.map((dataset) => choiceOf(dataset, component, model, coder));
  const unknown = asked !== null && !all.some(({ name }) => name === asked);
  return [
    ...all.filter(({ isHeld }) => isHeld),
    ...all.filter(({ isHeld }) => !isHeld),
    ...(unknown ? [{ name: asked, text: `${asked}, not served`, isHeld: false, about: "" }] : []),
  ];
}

function choiceOf(dataset: DatasetInfo, component: Component, model: Model, coder: string | null): DatasetChoice {
  const { name, n_tokens, caveats, description } = dataset;
  const lack = lackOf(dataset, component, model, coder);
  const size = n_tokens === null ? "public excerpts" : `${formatCount(n_tokens)} tokens`;
  const warning = caveats.length === 0 ? "" : `, ${caveats.length} ${caveats.length === 1 ? "caveat" : "caveats"}`;
  return {
    name,
    text: lack === null ? `${name}, ${size}${warning}` : `${name}, ${lack}`,
    isHeld: lack === null,
    about: [description, ...caveats].filter(Boolean).join("\n"),
  };
}

/** What a dataset lacks that the component's page needs; null where it holds the component. */
function lackOf({ groups }: DatasetInfo, component: Component, { coders }: Model, wanted: string | null): string | null {
  const { kind, layer, stream, index } = component;
  const group = groups.find((one) => one.kind === kind && one.layer === layer && one.stream === stream);
  if (!group) return groups.some((one) => one.kind === kind && one.stream === stream) ? "without this layer" : "without this kind";
  const meant = coderOf(component, coders, wanted)?.name;
  if (group.coder !== null && meant !== undefined && group.coder !== meant) return `latents of ${group.coder}`;
  return (index ?? 0) < group.n_components ? null : "without this index";
}

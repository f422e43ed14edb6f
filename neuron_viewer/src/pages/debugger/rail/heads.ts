import type { ModelResponse, NodeRow } from "@/api/types";
import { componentOf, parseComponent, parseNode } from "@/lib/node";

import { effectOf } from "./cell-nodes";

export interface Head {
  layer: number;
  index: number;
}

export function headName({ layer, index }: Head): string {
  return `attn_L${layer}_${index}`;
}

/** The head a node or component names; null when it names none that the model has. */
export function headOf(name: string | null, model: Pick<ModelResponse, "n_layers" | "n_heads">): Head | null {
  const component = name === null ? null : parseComponent(componentOf(name));
  if (component?.kind !== "attn" || component.layer === null || component.index === null) return null;
  const { layer, index } = component;
  return layer < model.n_layers && index < model.n_heads ? { layer, index } : null;
}

/** Heads among the listed rows, the one with the largest total effect first. */
export function leadingHeads(nodes: readonly NodeRow[]): string[] {
  const heads = nodes
    .filter((row) => row.kind === "attn")
    .sort((a, b) => Math.abs(effectOf(b)) - Math.abs(effectOf(a)))
    .map((row) => row.component);
  return [...new Set(heads)];
}

/** The pair a node stands for, if it is a pair of this head. */
export function pairOf(node: string | null, head: string): { query: number; key: number } | null {
  const parsed = node === null ? null : parseNode(node);
  if (!parsed || parsed.component.name !== head) return null;
  return parsed.position === null || parsed.keyPosition === null
    ? null
    : { query: parsed.position, key: parsed.keyPosition };
}

/** A selected node's name as the case at `index` writes it; a node that is not listed is taken as it stands. */
export function nodeInCase(nodes: readonly NodeRow[], selected: string | null, index: number): string | null {
  const row = nodes.find((one) => one.node === selected);
  return row ? (row.case_nodes[index] ?? null) : selected;
}

/** The listed row that a case writes as `name`, by its row's name; else the name itself. */
export function rowOfNode(nodes: readonly NodeRow[], name: string, index: number): string {
  return nodes.find((one) => one.case_nodes[index] === name)?.node ?? name;
}

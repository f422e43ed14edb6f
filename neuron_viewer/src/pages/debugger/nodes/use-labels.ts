import { useQuery } from "@tanstack/react-query";
import { useMemo } from "react";

import { labelsQuery, type LabelsResponse } from "@/api/explanations";
import type { DebugRequest, Explanation } from "@/api/types";

import type { TableRow } from "./table-rows";

export type Labels = LabelsResponse["labels"];

const MOST = 5000;
const NO_LABELS: Labels = {};

/** The best explanations of all components in the table: asked for in one call once the table is there. */
export function useLabels(rows: readonly TableRow[], request: DebugRequest): Labels {
  const { mlp_basis, attention_basis, resid_basis } = request;
  const names = useMemo(
    () => [...new Set(rows.map(({ row }) => row.component))].sort().slice(0, MOST),
    [rows],
  );
  const { data } = useQuery({ ...labelsQuery(names, codersOf([mlp_basis, attention_basis, resid_basis])), enabled: names.length > 0, retry: false });
  return data?.labels ?? NO_LABELS;
}

/** The bases that are coders: latents of two coders bear the same names. */
function codersOf(bases: readonly (string | null | undefined)[]): string[] {
  return bases.filter((basis) => basis != null && basis !== "neuron" && basis !== "head") as string[];
}

/** What is said of a row's component on the side that is at work here. */
export function labelOf({ row, telling }: TableRow, labels: Labels): Explanation | null {
  const side = (row.values[telling]?.activation ?? 0) < 0 ? "negative" : "positive";
  return labels[row.component]?.find((one) => one.side === side) ?? null;
}

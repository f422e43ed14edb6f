import type { LayerCoverage } from "@/api/explanations";

/** The rows of each explainer, by kind and layer. */
export function explainersOf(layers: readonly LayerCoverage[]): [string, LayerCoverage[]][] {
  const found = new Map<string, LayerCoverage[]>();
  for (const row of layers) found.set(row.explainer, [...(found.get(row.explainer) ?? []), row]);
  const order = (row: LayerCoverage) =>
    `${row.kind} ${row.stream ?? ""} ${row.coder ?? ""} ${String(row.layer).padStart(5, "0")}`;
  return [...found].map(([explainer, rows]) => [
    explainer,
    rows.sort((a, b) => order(a).localeCompare(order(b))),
  ]);
}

/** Whether the latents of several coders of one stream are among the rows, so that their names do not tell them apart. */
export function hasSeveralCoders(rows: readonly LayerCoverage[]): boolean {
  const first = new Map<string, string | null>();
  return rows.some(({ stream, coder }) => {
    if (stream === null) return false;
    if (!first.has(stream)) first.set(stream, coder);
    return first.get(stream) !== coder;
  });
}

/** `mlp_L3`, or `mlp_ae_L3` for the latents of a coder. */
export function groupName({ kind, stream, layer }: Pick<LayerCoverage, "kind" | "stream" | "layer">): string {
  return kind === "latent" ? `${stream ?? "mlp"}_ae_L${layer}` : `${kind}_L${layer}`;
}

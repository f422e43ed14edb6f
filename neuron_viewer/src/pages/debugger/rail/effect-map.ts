import type { CaseResult } from "@/api/types";
import { maxAbs } from "@/lib/color";
import type { HeatModel, HeatRow } from "@/components/heat-grid/model";
import { alignColumns, columnIndex, onlyIn, type AlignedColumn } from "./alignment";

export type Part = "both" | "attn" | "mlp";

export const STRIPS = [
  { key: "embed", name: "Embeddings", label: "Embeddings" },
  { key: "mlp", name: "MLP, all layers", label: "MLP" },
  { key: "attn_from", name: "Attention from, all layers", label: "Attn. from" },
  { key: "attn_to", name: "Attention to, all layers", label: "Attn. to" },
] as const;

export type Strip = (typeof STRIPS)[number]["key"];

/** What a row of the map is: one of the strips, or a layer. */
export type MapRow = { strip: Strip } | { layer: number };

export interface EffectMap {
  columns: AlignedColumn[];
  rows: MapRow[];
  model: HeatModel;
  /** The strips are sums over layers, so they have a scale of their own; `model.maximum` is the layers'. */
  stripMaximum: number;
}

const STRIP_HEIGHT = 13;
const LAYER_HEIGHT = 8;
const GAP = 7;
const LABEL_EVERY = 5;

/** Total effect by layer and token; with two cases, left minus right. */
export function effectMap(cases: readonly CaseResult[], part: Part): EffectMap {
  const columns = alignColumns(cases);
  const n_layers = cases[0]?.by_layer.mlp.length ?? 0;
  const at = columns.findIndex((column) => column.positions[0] === cases[0]?.objective.position);
  const layers = Array.from({ length: n_layers }, (_, below) => n_layers - 1 - below);
  const strips = STRIPS.map((strip) => stripRow(cases, columns, strip));
  const byLayer = layers.map((layer) => layerRow(cases, columns, layer, part, n_layers));
  const stripMaximum = maxAbs(strips.flatMap((row) => row.values));
  return {
    columns,
    rows: [...STRIPS.map(({ key }) => ({ strip: key })), ...layers.map((layer) => ({ layer }))],
    stripMaximum,
    model: {
      home: at < 0 ? undefined : { row: STRIPS.length, column: at },
      label:
        cases.length > 1 ? "Change in total effect, left minus right" : "Total effect by layer and token",
      columns: columns.map((column, index) => ({
        key: String(index),
        token: column.token.text,
        index: columnIndex(column),
        strong: index === at,
        isQuiet: onlyIn(column) !== null,
      })),
      rows: [...strips.map((row) => ({ ...row, maximum: stripMaximum })), ...byLayer],
      maximum: maxAbs(byLayer.flatMap((row) => row.values)),
      signed: true,
    },
  };
}

function stripRow(
  cases: readonly CaseResult[],
  columns: readonly AlignedColumn[],
  { key, name, label }: (typeof STRIPS)[number],
): HeatRow {
  const read = (one: CaseResult, position: number) => one.by_token[key][position] ?? 0;
  return { key, name, label, height: STRIP_HEIGHT, values: differences(cases, columns, read) };
}

function layerRow(
  cases: readonly CaseResult[],
  columns: readonly AlignedColumn[],
  layer: number,
  part: Part,
  n_layers: number,
): HeatRow {
  const read = ({ by_layer }: CaseResult, position: number) =>
    (part === "mlp" ? 0 : (by_layer.attn[layer]?.[position] ?? 0)) +
    (part === "attn" ? 0 : (by_layer.mlp[layer]?.[position] ?? 0));
  const isTop = layer === n_layers - 1;
  return {
    key: `layer-${layer}`,
    name: `Layer ${layer}`,
    label: isTop ? `layer ${layer}` : String(layer),
    isQuiet: !isTop && (layer % labelEvery(n_layers) !== 0 || n_layers - layer < 3),
    height: LAYER_HEIGHT,
    gap: isTop ? GAP : 0,
    values: differences(cases, columns, read),
  };
}

const labelEvery = (n_layers: number) => (n_layers < 8 ? 2 : LABEL_EVERY);

/** The value of one case, or left minus right; null where a case lacks the token. */
function differences(
  cases: readonly CaseResult[],
  columns: readonly AlignedColumn[],
  read: (one: CaseResult, position: number) => number,
): (number | null)[] {
  return columns.map((column) => {
    if (onlyIn(column)) return null;
    const [left, right] = cases.map((one, index) => read(one, column.positions[index] ?? 0));
    return (left ?? 0) - (right ?? 0);
  });
}

type LayerBarsProps = { layers: readonly number[]; nLayers: number };

/** How many members of a concept sit in each layer, first layer at the left. */
export function LayerBars({ layers, nLayers }: LayerBarsProps) {
  const counts = countByLayer(layers, nLayers);
  const most = Math.max(1, ...counts);
  return (
    <span className="lay30" role="img" aria-label={layerText(counts)}>
      {counts.map((count, layer) => (
        <i key={layer} style={{ height: `${(100 * count) / most}%` }} />
      ))}
    </span>
  );
}

export function countByLayer(layers: readonly number[], nLayers: number): number[] {
  const counts = new Array<number>(nLayers).fill(0);
  for (const layer of layers) if (layer < nLayers) counts[layer] = (counts[layer] ?? 0) + 1;
  return counts;
}

function layerText(counts: readonly number[]): string {
  const held = counts.flatMap((count, layer) => (count > 0 ? [`${count} in layer ${layer}`] : []));
  return held.join(", ") || "none";
}

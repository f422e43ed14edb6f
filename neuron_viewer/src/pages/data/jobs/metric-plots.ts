/** What a job told of its metrics, as lines over what is done. */
import type { ProgressPoint } from "@/api/jobs";
import type { Line } from "@/components/line-plot/line-plot";
import { formatMagnitude } from "@/lib/format";

export type MetricPlot = {
  metric: string;
  title: string;
  lines: Line[];
  format: (value: number) => string;
  isShare?: boolean;
  yDomain?: [number, number];
};

type Known = { title: string; turn?: (value: number) => number; format?: (value: number) => string; isShare?: boolean; yDomain?: [number, number] };

const percent = (value: number) => `${(value * 100).toFixed(1)}%`;

/** Metrics that are shown by another name, or as their complement. */
const KNOWN: Record<string, Known> = {
  fvu: { title: "Explained variance", turn: (value) => 1 - value, format: (value) => value.toFixed(3), yDomain: [0, 1] },
  explained_variance: { title: "Explained variance", format: (value) => value.toFixed(3), yDomain: [0, 1] },
  l0: { title: "Latents active per token" },
  dead: { title: "Dead latents", format: percent, isShare: true },
  dead_fraction: { title: "Dead latents", format: percent, isShare: true },
  loss: { title: "Loss" },
};
/** Said beside the progress already. */
const RATES = /_per_second$/;

/** A plot for each metric; `fvu/L3` is a line of its own in the plot of `fvu`. */
export function metricPlots(points: readonly ProgressPoint[]): MetricPlot[] {
  const lines = new Map<string, { x: number; y: number }[]>();
  for (const { done, metrics } of points) {
    for (const [name, value] of Object.entries(metrics)) {
      if (value === null || RATES.test(name)) continue;
      const line = lines.get(name) ?? [];
      lines.set(name, line);
      // Work that was resumed goes on from where it last saved: what came after that was undone.
      while (line.length > 0 && (line.at(-1)?.x ?? 0) >= done) line.pop();
      line.push({ x: done, y: KNOWN[name.split("/")[0] ?? ""]?.turn?.(value) ?? value });
    }
  }
  const metrics = [...new Set([...lines.keys()].map((name) => name.split("/")[0] ?? name))];
  const order = Object.keys(KNOWN);
  const rank = (metric: string) => (order.includes(metric) ? order.indexOf(metric) : order.length);
  return metrics
    .sort((a, b) => rank(a) - rank(b))
    .map((metric) => plotOf(metric, lines));
}

function plotOf(metric: string, lines: Map<string, { x: number; y: number }[]>): MetricPlot {
  const known = KNOWN[metric];
  const own = [...lines].filter(([name]) => name === metric || name.startsWith(`${metric}/`));
  return {
    metric,
    title: known?.title ?? metric.replaceAll("_", " "),
    lines: own.map(([name, points]) => ({
      name: name === metric ? "the mean of all coders" : name.slice(metric.length + 1),
      points,
      isMain: name === metric,
    })),
    format: known?.format ?? formatMagnitude,
    ...(known?.isShare && { isShare: true }),
    ...(known?.yDomain && { yDomain: known.yDomain }),
  };
}

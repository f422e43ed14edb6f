import type { CoderCard } from "@/api/jobs";
import { LinePlot } from "@/components/line-plot/line-plot";
import { formatMagnitude } from "@/lib/format";

import { percent, ratio } from "../coder-words";

type Measure = {
  title: string;
  value: (point: CoderCard["curve"][number]) => number | null | undefined;
  format: (value: number) => string;
  isShare?: true;
  yDomain?: [number, number];
};

const MEASURES: Measure[] = [
  { title: "Explained variance", value: ({ fvu }) => (typeof fvu === "number" ? 1 - fvu : null), format: ratio, yDomain: [0, 1] },
  { title: "Latents active per token", value: ({ l0 }) => l0, format: formatMagnitude },
  { title: "Dead latents", value: ({ dead }) => dead, format: percent, isShare: true },
  { title: "Loss", value: ({ loss }) => loss, format: formatMagnitude },
];

/** How the training of every layer went; the chosen one in front. */
export function TrainingPanel({ coders, layer }: { coders: readonly CoderCard[]; layer: number }) {
  const isKnown = coders.some(({ curve }) => curve.length > 0);
  const end = Math.max(0, ...coders.map(({ curve }) => curve.at(-1)?.tokens ?? 0));
  return (
    <section className="panel" aria-labelledby="training-title">
      <header>
        <h2 id="training-title">Training</h2>
        <span className="note">
          layer {layer}
          {coders.length > 1 && ", the other layers behind it"}; by tokens
        </span>
      </header>
      <div className="pad">
        {!isKnown && <p className="mid">No curves came with these coders.</p>}
        {isKnown && (
          <div className="plots">
            {MEASURES.map(({ title, value, format, isShare, yDomain }) => (
              <LinePlot
                key={title}
                title={title}
                format={format}
                isShare={isShare}
                xName="tokens"
                xDomain={[0, end]}
                yDomain={yDomain}
                lines={[...coders]
                  .sort((a, b) => Number(a.layer === layer) - Number(b.layer === layer))
                  .map((coder) => ({
                    name: `layer ${coder.layer}`,
                    isMain: coder.layer === layer,
                    points: coder.curve.flatMap((point) => {
                      const y = value(point);
                      return typeof y === "number" ? [{ x: point.tokens, y }] : [];
                    }),
                  }))}
              />
            ))}
          </div>
        )}
      </div>
    </section>
  );
}

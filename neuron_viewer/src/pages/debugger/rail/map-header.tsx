import type { Part } from "./effect-map";

export interface MapHeaderProps {
  isCompared: boolean;
  part: Part;
  onPart: (part: Part) => void;
}

const PARTS: { part: Part; name: string }[] = [
  { part: "both", name: "Both" },
  { part: "attn", name: "Attn" },
  { part: "mlp", name: "MLP" },
];

export function MapHeader({ isCompared, part, onPart }: MapHeaderProps) {
  return (
    <header>
      <h2 id="effect-map-title">
        {isCompared ? "Change in total effect" : "Total effect by layer and token"}
      </h2>
      <span className="tag">estimate</span>
      <span className="end">
        <span className="seg" role="group" aria-label="Part of each layer">
          {PARTS.map((one) => (
            <button
              key={one.part}
              type="button"
              aria-pressed={part === one.part}
              onClick={() => {
                onPart(one.part);
              }}
            >
              {one.name}
            </button>
          ))}
        </span>
      </span>
    </header>
  );
}

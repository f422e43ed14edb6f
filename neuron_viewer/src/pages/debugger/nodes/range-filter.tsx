import * as Popover from "@radix-ui/react-popover";

import type { ReactNode } from "react";

import type { Filters } from "@/lib/url-state";

type Range = Filters["layers"];
type RangeFilterProps = {
  filters: Pick<Filters, "layers" | "tokens">;
  nLayers: number;
  nTokens: number;
  /** What else stands in the popover. */
  children: ReactNode;
  onChange: (patch: Partial<Filters>) => void;
};

/** Layers and tokens from one to another; the map's drag sets the same two ranges. */
export function RangeFilter({ filters, nLayers, nTokens, children, onChange }: RangeFilterProps) {
  const { layers, tokens } = filters;
  const isOn = layers !== null || tokens !== null;
  const name = layers || !tokens ? `Layers ${rangeText(layers, nLayers)}` : "";
  return (
    <Popover.Root>
      <Popover.Trigger
        className={isOn ? "field hide-s on" : "field hide-s"}
        aria-label="Layers, tokens, top k"
      >
        {[name, tokens && `Tokens ${rangeText(tokens, nTokens)}`].filter(Boolean).join(", ")}
      </Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="pop ranges" align="start" sideOffset={4} collisionPadding={8}>
          <RangeRow
            name="Layers"
            range={layers}
            size={nLayers}
            onChange={(range) => onChange({ layers: range })}
          />
          <RangeRow
            name="Tokens"
            range={tokens}
            size={nTokens}
            onChange={(range) => onChange({ tokens: range })}
          />
          {children}
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

type RangeRowProps = { name: string; range: Range; size: number; onChange: (range: Range) => void };

function RangeRow({ name, range, size, onChange }: RangeRowProps) {
  const last = Math.max(0, size - 1);
  const [from, to] = range ?? [0, last];
  /** The whole range is no filter; the ends never cross. */
  const set = (low: number, high: number) => {
    if (!Number.isInteger(low) || !Number.isInteger(high)) return;
    const start = Math.min(Math.max(0, low), last);
    const end = Math.min(Math.max(0, high), last);
    const next: [number, number] = low === from ? [Math.min(start, end), end] : [start, Math.max(start, end)];
    onChange(next[0] === 0 && next[1] === last ? null : next);
  };
  return (
    <div className="range" role="group" aria-label={name}>
      <span className="label">{name}</span>
      <End label={`${name} from`} value={from} max={last} onChange={(value) => set(value, to)} />
      <span className="quiet">{"\u2013"}</span>
      <End label={`${name} to`} value={to} max={last} onChange={(value) => set(from, value)} />
      <button type="button" className="btn small" disabled={range === null} onClick={() => onChange(null)}>
        All
      </button>
    </div>
  );
}

type EndProps = { label: string; value: number; max: number; onChange: (value: number) => void };

function End({ label, value, max, onChange }: EndProps) {
  return (
    <input
      className="field number"
      type="number"
      min={0}
      max={max}
      value={value}
      aria-label={label}
      onChange={(event) => onChange(event.target.value === "" ? Number.NaN : Number(event.target.value))}
    />
  );
}

function rangeText(range: Range, size: number): string {
  const [from, to] = range ?? [0, Math.max(0, size - 1)];
  return from === to ? String(from) : `${from}\u2013${to}`;
}

import type { Listing } from "../monitor-state";
import { RangeText } from "./range-text";

/** The last token and layer there are; null while that is not known. */
export type Lasts = { token: number | null; layer: number | null };
type ListingControlsProps = { listing: Listing; lasts: Lasts; onChange: (listing: Listing) => void };

const KINDS = [["all", "All"], ["attn", "Attn"], ["mlp", "MLP"], ["latent", "Latents"]] as const;
const SIDES = [["both", "Both sides"], ["positive", "+"], ["negative", "\u2212"]] as const;
const RANKS = [["activation", "Activation"], ["attribution", "Attribution"]] as const;

/** What is listed, and by what it is ranked. */
export function ListingControls({ listing, lasts, onChange }: ListingControlsProps) {
  return (
    <>
      <Choice
        label="Kind"
        options={KINDS}
        value={listing.kind}
        onChange={(kind) => { onChange({ ...listing, kind }); }}
      />
      <Choice
        label="Side"
        options={SIDES}
        value={listing.side}
        onChange={(side) => { onChange({ ...listing, side }); }}
      />
      <Choice
        label="Rank by"
        options={RANKS}
        value={listing.by}
        onChange={(by) => { onChange({ ...listing, by }); }}
      />
      <RangeText
        label="Tokens"
        range={listing.tokens}
        last={lasts.token}
        onChange={(tokens) => { onChange({ ...listing, tokens }); }}
      />
      <RangeText
        label="Layers"
        range={listing.layers}
        last={lasts.layer}
        onChange={(layers) => { onChange({ ...listing, layers }); }}
      />
      <input
        className="field"
        type="search"
        placeholder="Filter"
        aria-label="Filter by name or explanation"
        value={listing.text}
        onChange={(event) => { onChange({ ...listing, text: event.target.value }); }}
      />
      <label className="leastscore small quiet">
        score{" "}
        <select
          className="pick"
          aria-label="Least score of the explanation"
          value={listing.minScore ?? ""}
          onChange={(event) => {
            onChange({ ...listing, minScore: event.target.value === "" ? null : Number(event.target.value) });
          }}
        >
          <option value="">any</option>
          {leastScores(listing.minScore).map((score) => (
            <option key={score} value={score}>{`\u2265 ${score}`}</option>
          ))}
        </select>
      </label>
    </>
  );
}

/** What may be chosen; a link may have chosen another. */
function leastScores(chosen: number | null): number[] {
  const scores = new Set([0.2, 0.4, 0.6, 0.8, ...(chosen === null ? [] : [chosen])]);
  return [...scores].sort((a, b) => a - b);
}

type ChoiceProps<T extends string> = {
  label: string;
  options: readonly (readonly [T, string])[];
  /** Null while none is chosen. */
  value: T | null;
  onChange: (value: T) => void;
};

/** A few alternatives side by side. */
export function Choice<T extends string>({ label, options, value, onChange }: ChoiceProps<T>) {
  return (
    <span className="seg" role="group" aria-label={label}>
      {options.map(([name, text]) => (
        <button key={name} type="button" aria-pressed={name === value} onClick={() => { onChange(name); }}>
          {text}
        </button>
      ))}
    </span>
  );
}

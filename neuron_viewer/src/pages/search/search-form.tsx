import { useState } from "react";

import type { ModelResponse } from "@/api/types";
import { Segments } from "@/components/segments";
import { Select } from "@/components/select";
import { useDraft } from "@/lib/use-draft";

import { DatasetChoice } from "./dataset-choice";
import { SearchBox } from "./search-box";
import { DENSITIES, KINDS, MODES, queryIn, SIDES, type Density, type Mode, type SearchState } from "./search-state";

export interface SearchFormProps {
  state: SearchState;
  model: Pick<ModelResponse, "n_layers" | "datasets">;
  onChange: (state: SearchState) => void;
}

const MODE_TITLES: Record<Mode, string> = {
  meaning: "Explanations close in meaning to what you type",
  keyword: "Explanations that hold every word",
  token: "Components whose write promotes this token most",
  text: "Components most active on your text, each against its own distribution",
};
const KIND_WORDS = { attn: "heads", mlp: "neurons", latent: "latents" };
const SIDE_WORDS = { positive: "+ side", negative: "\u2212 side" };
const LEAST_SCORES = ["0.2", "0.4", "0.6", "0.8"];
const DENSITY_WORDS: Record<Density, string> = {
  "0-0.001": "density \u2264 0.1 %",
  "0-0.01": "density \u2264 1 %",
  "0-0.1": "density \u2264 10 %",
  "0.1-0.5": "density 10\u201350 %",
  "0.5-1": "density \u2265 50 %",
};
const ANY = "any";

/** One box, what it means, and what results must be. */
export function SearchForm({ state, model, onChange }: SearchFormProps) {
  const layers = Array.from({ length: model.n_layers }, (_, layer) => String(layer));
  const [draft, setDraft, drop] = useDraft(state.query, (query) => {
    onChange({ ...state, query });
  });
  const [kept, setKept] = useState<Partial<Record<Mode, string>>>({});
  function changeMode(mode: Mode) {
    drop();
    setKept({ ...kept, [state.mode]: draft });
    onChange({ ...state, mode, query: queryIn({ from: state.mode, to: mode }, draft, kept) });
  }
  return (
    <form
      role="search"
      className="searchform panel"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <SearchBox mode={state.mode} draft={draft} onDraft={setDraft} />
      <div className="searchopts">
        <Segments
          label="Search by"
          value={state.mode}
          options={MODES.map((mode) => ({ value: mode, text: mode, title: MODE_TITLES[mode] }))}
          onChange={changeMode}
        />
        <Choice
          label="Kind"
          value={state.kind}
          options={KINDS.map((kind) => ({ value: kind, text: KIND_WORDS[kind] }))}
          any="all kinds"
          onChange={(kind) => {
            onChange({ ...state, kind });
          }}
        />
        <Choice
          label="Layer"
          value={state.layer === null ? null : String(state.layer)}
          options={layers.map((layer) => ({ value: layer, text: `layer ${layer}` }))}
          any="all layers"
          onChange={(layer) => {
            onChange({ ...state, layer: layer === null ? null : Number(layer) });
          }}
        />
        <Choice
          label="Side"
          value={state.side}
          options={SIDES.map((side) => ({ value: side, text: SIDE_WORDS[side] }))}
          any="both sides"
          onChange={(side) => {
            onChange({ ...state, side });
          }}
        />
        <Choice
          label="Least score"
          value={state.minScore === null ? null : String(state.minScore)}
          options={LEAST_SCORES.map((score) => ({ value: score, text: `score \u2265 ${score}` }))}
          any="any score"
          onChange={(score) => {
            onChange({ ...state, minScore: score === null ? null : Number(score) });
          }}
        />
        <Choice
          label="Density"
          value={state.density}
          options={DENSITIES.map((density) => ({ value: density, text: DENSITY_WORDS[density] }))}
          any="any density"
          onChange={(density) => {
            onChange({ ...state, density });
          }}
        />
        {state.mode === "text" && <DatasetChoice state={state} datasets={model.datasets} onChange={onChange} />}
        <span className="note">{MODE_TITLES[state.mode]}.</span>
      </div>
    </form>
  );
}

interface ChoiceProps<T extends string> {
  label: string;
  value: T | null;
  options: readonly { value: T; text: string }[];
  /** What no choice is called. */
  any: string;
  onChange: (value: T | null) => void;
}

function Choice<T extends string>({ label, value, options, any, onChange }: ChoiceProps<T>) {
  return (
    <Select<T | typeof ANY>
      label={label}
      value={value ?? ANY}
      options={[{ value: ANY, text: any }, ...options]}
      onChange={(next) => {
        onChange(next === ANY ? null : (next as T));
      }}
    />
  );
}

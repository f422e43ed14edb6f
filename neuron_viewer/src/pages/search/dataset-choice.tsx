import type { ModelResponse } from "@/api/types";
import { Select } from "@/components/select";

import type { SearchState } from "./search-state";

export interface DatasetChoiceProps {
  state: SearchState;
  datasets: ModelResponse["datasets"];
  onChange: (state: SearchState) => void;
}

/** Whose quantiles a text is held against; only drawn where there are several that have some. */
export function DatasetChoice({ state, datasets, onChange }: DatasetChoiceProps) {
  const collated = datasets.filter(({ recipe }) => recipe !== null);
  const [first] = collated;
  if (!first || collated.length < 2) return null;
  const chosen = collated.find(({ name }) => name === state.dataset) ?? first;
  return (
    <Select
      label="Dataset"
      value={chosen.name}
      options={collated.map(({ name }) => ({ value: name, text: `against ${name}` }))}
      onChange={(dataset) => {
        onChange({ ...state, dataset: dataset === first.name ? null : dataset });
      }}
    />
  );
}

import { useSearchParams } from "react-router";

import type { ModelResponse } from "@/api/types";
import { Select } from "@/components/select";

import { datasetOf } from "./use-record";

/** Which dataset the page tells of; only drawn where there is a choice. */
export function DatasetSelect({ datasets }: Pick<ModelResponse, "datasets">) {
  const [params, setParams] = useSearchParams();
  const chosen = datasetOf(params, datasets);
  if (chosen === null || datasets.length < 2) return null;
  return (
    <Select
      label="Dataset"
      value={chosen}
      options={datasets.map(({ name }) => ({ value: name, text: name }))}
      onChange={(dataset) => {
        setParams((old) => {
          old.set("dataset", dataset);
          return old;
        });
      }}
    />
  );
}

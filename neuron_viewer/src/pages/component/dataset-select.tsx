import { useSearchParams } from "react-router";

import type { ModelResponse } from "@/api/types";
import { Select } from "@/components/select";
import type { Component } from "@/lib/node";

import { datasetChoices } from "./dataset-choices";
import { usePageCoder } from "./page-coder";

export interface DatasetSelectProps {
  component: Component;
  model: ModelResponse;
}

/** Which dataset the page tells of; those that do not hold the component are listed too, and say so. */
export function DatasetSelect({ component, model }: DatasetSelectProps) {
  const [params, setParams] = useSearchParams();
  const asked = params.get("dataset");
  const choices = datasetChoices(component, model, usePageCoder(), asked);
  const chosen = choices.find(({ name }) => name === asked) ?? choices[0];
  if (!chosen || component.index === null) return null;
  if (choices.length === 1 && chosen.isHeld) {
    return (
      <span className="note" title={chosen.about}>
        {chosen.text}
      </span>
    );
  }
  return (
    <span title={chosen.about}>
      <Select
        label="Dataset"
        value={chosen.name}
        options={choices.map(({ name, text, isHeld }) => ({ value: name, text, disabled: !isHeld }))}
        onChange={(dataset) => {
          setParams((old) => {
            old.set("dataset", dataset);
            return old;
          });
        }}
      />
    </span>
  );
}

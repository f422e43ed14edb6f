import { useSearchParams } from "react-router";

import type { DatasetInfo } from "@/api/types";
import { Select } from "@/components/select";
import { formatCount } from "@/lib/format";

import type { Component } from "@/lib/node";

export interface DatasetSelectProps {
  component: Component;
  datasets: readonly DatasetInfo[];
}

/** Which dataset the page tells of; only drawn where several know the component. */
export function DatasetSelect({ component, datasets }: DatasetSelectProps) {
  const [params, setParams] = useSearchParams();
  const there = datasetsOf(component, datasets);
  const chosen = there.find(({ name }) => name === params.get("dataset")) ?? there[0];
  if (!chosen || there.length < 2) return null;
  return (
    <Select
      label="Dataset"
      value={chosen.name}
      options={there.map(({ name, n_tokens }) => ({
        value: name,
        text: n_tokens === null ? name : `${name}, ${formatCount(n_tokens)} tokens`,
      }))}
      onChange={(dataset) => {
        setParams((old) => {
          old.set("dataset", dataset);
          return old;
        });
      }}
    />
  );
}

/** The datasets that hold something on a component. */
export function datasetsOf({ kind, layer, stream }: Component, datasets: readonly DatasetInfo[]): DatasetInfo[] {
  return datasets.filter(({ groups }) =>
    groups.some((group) => group.kind === kind && group.layer === layer && group.stream === stream),
  );
}

import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";

import { ApiError } from "@/api/errors";
import { componentRecordQuery } from "@/api/queries";
import type { ComponentRecord } from "@/api/records";
import type { ModelResponse } from "@/api/types";

/** What is known of a component's record: nothing yet, that there is none and why, an error, or the record. */
export type RecordState =
  | { state: "loading" }
  | { state: "missing"; message: string; hint: string; command: string | null }
  | { state: "error"; error: Error; retry: () => void }
  | { state: "loaded"; record: ComponentRecord };

/** The record in the dataset that the URL names, else in the first one. */
export function useRecord(component: string, { datasets, name }: ModelResponse): RecordState {
  const [params] = useSearchParams();
  const dataset = datasetOf(params, datasets);
  const query = useQuery({ ...componentRecordQuery(component, dataset ?? ""), enabled: dataset !== null });
  if (dataset === null) {
    return {
      state: "missing",
      message: `No dataset is loaded for ${name}, so there are no exemplars, statistics or explanations.`,
      hint: "Make one from any text, then start the server with --dataset DIR:",
      command: `tdb collate --model ${name} --corpus FILE --out DIR`,
    };
  }
  if (query.data) return { state: "loaded", record: query.data };
  const { error } = query;
  if (error instanceof ApiError && error.status === 404) {
    return { state: "missing", message: error.said, hint: error.hint, command: commandIn(error.hint) };
  }
  if (error) return { state: "error", error, retry: () => void query.refetch() };
  return { state: "loading" };
}

/** A command in backquotes, as the server's hints write them. */
function commandIn(hint: string): string | null {
  return /`(tdb [^`]+)`/.exec(hint)?.[1] ?? null;
}

/** The dataset named in the URL where it is loaded, else the first. */
export function datasetOf(params: URLSearchParams, datasets: readonly { name: string }[]): string | null {
  const wanted = params.get("dataset");
  return (datasets.find(({ name }) => name === wanted) ?? datasets[0])?.name ?? null;
}

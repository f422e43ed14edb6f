import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "react-router";

import { ApiError } from "@/api/errors";
import { componentRecordQuery } from "@/api/queries";
import type { ComponentRecord, ModelResponse } from "@/api/types";
import type { Component } from "@/lib/node";

import { datasetChoices } from "./dataset-choices";
import { usePageCoder } from "./page-coder";

/** What is known of a component's record: nothing yet, that there is none and why, an error, or the record. */
export type RecordState =
  | { state: "loading" }
  | { state: "missing"; message: string; hint: string; command: string | null; elsewhere: string[] }
  | { state: "error"; error: Error; retry: () => void }
  | { state: "loaded"; record: ComponentRecord };

/** The record in the dataset that the URL names, else in the first that has one. */
export function useRecord(component: Component, model: ModelResponse): RecordState {
  const { datasets, name } = model;
  const [params] = useSearchParams();
  const coder = usePageCoder();
  const isThere = datasets.length > 0;
  const query = useQuery({
    ...componentRecordQuery(component.name, params.get("dataset"), coder),
    // Embeddings and errors are no single unit: nothing is recorded of them.
    enabled: isThere && component.index !== null,
  });
  if (!isThere) {
    return {
      state: "missing",
      message: `No dataset is loaded for ${name}, so there are no exemplars and no statistics.`,
      hint: "Make one from any text, then start the server with --dataset DIR:",
      command: `tdb collate --model ${name} --corpus FILE --out DIR`,
      elsewhere: [],
    };
  }
  if (query.data) return { state: "loaded", record: query.data };
  const { error } = query;
  if (error instanceof ApiError && error.status === 404) {
    const { said: message } = error;
    const command = commandIn(error.hint);
    const hint = command === null ? error.hint : error.hint.replace(`\`${command}\``, "the command below");
    const shown = params.get("dataset");
    const held = datasetChoices(component, model, coder, shown).filter(({ isHeld }) => isHeld);
    const elsewhere = held.map((choice) => choice.name).filter((one, place) => (shown === null ? place > 0 : one !== shown));
    return { state: "missing", message, hint, command, elsewhere };
  }
  if (error) return { state: "error", error, retry: () => void query.refetch() };
  return { state: "loading" };
}

/** A command in backquotes, as the server's hints write them. */
function commandIn(hint: string): string | null {
  return /`(tdb [^`]+)`/.exec(hint)?.[1] ?? null;
}

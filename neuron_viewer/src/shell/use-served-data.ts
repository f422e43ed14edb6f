import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect } from "react";

import { healthQuery, modelQuery } from "@/api/queries";

/** Answers that rest on the datasets, by the first part of their keys. */
const RESTING = ["model", "record", "search", "similar", "coverage", "debug"];

/** A job, of this page or of a script, may add a dataset at any time: what rests on datasets is then asked anew. */
export function useServedData() {
  const queries = useQueryClient();
  const told = useQuery(healthQuery()).data?.data_version;
  const known = useQuery(modelQuery()).data?.data_version;
  const isBehind = told !== undefined && known !== undefined && told !== known;
  useEffect(() => {
    if (!isBehind) return;
    for (const name of RESTING) {
      // A table that is being read and measured stays as it is until it is opened again.
      void queries.invalidateQueries({ queryKey: [name], refetchType: name === "debug" ? "none" : "active" });
    }
  }, [queries, isBehind, told]);
}

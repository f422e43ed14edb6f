import { useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { debugQuery } from "@/api/queries";
import type { DebugRequest, DebugResponse } from "@/api/types";

type Answered = { request: DebugRequest; response: DebugResponse };

export type Result = {
  /** The last good answer, to this question or an earlier one. */
  answered: Answered | null;
  /** Whether `answered` answers another question than the one asked now. */
  stale: boolean;
  /** Why this question has no answer. */
  error: Error | null;
  computing: boolean;
  run: () => void;
  cancel: () => void;
};

/** The answer to a question; an earlier answer stays until the new one is there, or if it fails. */
export function useResult(request: DebugRequest): Result {
  const queries = useQueryClient();
  const options = useMemo(() => debugQuery(request), [request]);
  const { data, error, isFetching, refetch } = useQuery(options);
  const [last, setLast] = useState<Answered | null>(null);
  if (data && data !== last) setLast(data);
  return {
    answered: data ?? last,
    stale: data === undefined && last !== null,
    error: isFetching ? null : error,
    computing: isFetching,
    run: () => void refetch(),
    cancel: () => void queries.cancelQueries({ queryKey: options.queryKey }),
  };
}

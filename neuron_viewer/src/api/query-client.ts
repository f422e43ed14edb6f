import { QueryClient } from "@tanstack/react-query";

import { ApiError } from "./errors";

/** Answers never go stale (the model does not change); a call that got no answer is tried again by itself. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        retry: (_count, error) => error instanceof ApiError && error.isLost,
        retryDelay: 2_000,
        refetchOnWindowFocus: false,
        networkMode: "always",
      },
    },
  });
}

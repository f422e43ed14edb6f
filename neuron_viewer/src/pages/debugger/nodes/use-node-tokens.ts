import { useQuery, useQueryClient, type QueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";

import type { DebugRequest, NodeTokens } from "@/api/types";

import { NodeTokensLoader } from "./node-tokens-loader";
import { otherCase } from "./use-measured";

const loaders = new WeakMap<QueryClient, Map<string, NodeTokensLoader>>();

/** The loader of one case; kept, so that its lists are asked for once. */
export function useNodeTokensLoader(request: DebugRequest, at: number): NodeTokensLoader {
  const client = useQueryClient();
  return useMemo(() => {
    const spec = request.cases[at];
    if (!spec) throw new RangeError(`The request has no case ${at}.`);
    const other = otherCase(request, at);
    const known = loaders.get(client) ?? new Map<string, NodeTokensLoader>();
    loaders.set(client, known);
    const key = JSON.stringify([spec, other]);
    const loader = known.get(key) ?? new NodeTokensLoader(spec, other);
    known.set(key, loader);
    return loader;
  }, [client, request, at]);
}

/** What a node's write promotes and suppresses; null stands for a case that has no such node. */
export function useNodeTokens(loader: NodeTokensLoader, node: string | null): UseQueryResult<NodeTokens> {
  return useQuery({
    queryKey: ["node_tokens_of", loader.id, node],
    queryFn: ({ signal }) => loader.load(node ?? "", signal),
    enabled: node !== null,
    staleTime: Infinity,
    gcTime: 10 * 60_000,
  });
}

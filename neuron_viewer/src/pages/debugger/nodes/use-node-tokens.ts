import { useQuery, useQueryClient, type QueryClient, type UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";

import type { DebugRequest, NodeTokens } from "@/api/types";

import { basesOf } from "@/lib/bases";

import { NodeTokensLoader } from "./node-tokens-loader";
import { useTable } from "./table-context";
import { nodeInCase, type TableRow } from "./table-rows";
import { otherCase } from "./use-measured";

const loaders = new WeakMap<QueryClient, Map<string, NodeTokensLoader>>();

/** The loader of one case; kept, so that its lists are asked for once. */
export function useNodeTokensLoader(request: DebugRequest, at: number): NodeTokensLoader {
  const client = useQueryClient();
  return useMemo(() => {
    const spec = request.cases[at] ?? request.cases[0];
    if (!spec) throw new RangeError("The request has no case.");
    const other = otherCase(request, at);
    const known = loaders.get(client) ?? new Map<string, NodeTokensLoader>();
    loaders.set(client, known);
    const bases = basesOf(request);
    const key = JSON.stringify([spec, other, bases]);
    const loader = known.get(key) ?? new NodeTokensLoader(spec, other, bases);
    known.set(key, loader);
    return loader;
  }, [client, request, at]);
}

/** What a row's write promotes and suppresses, in the case that shows it. */
export function useNodeTokens(row: TableRow): UseQueryResult<NodeTokens> {
  const { loaders } = useTable();
  const at = row.telling;
  const loader = loaders[at];
  const node = nodeInCase(row, at);
  return useQuery({
    queryKey: ["node_tokens_of", loader.id, node],
    queryFn: ({ signal }) => loader.load(node ?? "", signal),
    enabled: node !== null,
    staleTime: Infinity,
    gcTime: 10 * 60_000,
  });
}

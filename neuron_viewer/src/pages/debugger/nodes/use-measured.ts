import { useQueryClient, type QueryClient } from "@tanstack/react-query";
import { useMemo, useSyncExternalStore } from "react";

import type { CaseSpec, DebugRequest } from "@/api/types";
import { basesOf } from "@/lib/bases";

import type { DebugView } from "../view";
import { MeasureStore, type MeasureSnapshot } from "./measure-store";

const IDLE = new MeasureStore({
  case: { prompt: "" } as CaseSpec,
  to: "zero",
  mlp_basis: "",
  attention_basis: "",
});
const NEVER = () => () => undefined;

/** One store for each case that was asked about, so that going back shows what was measured already. */
const stores = new WeakMap<QueryClient, Map<string, MeasureStore>>();

/** The other case, where a patch takes its values from; else null, so that it changes nothing. */
export function otherCase(request: DebugRequest, at: number): CaseSpec | null {
  const isPatched = request.cases[at]?.interventions.some(({ kind }) => kind === "patch");
  return isPatched ? (request.cases[1 - at] ?? null) : null;
}

function storeFor(client: QueryClient, request: DebugRequest, at: number): MeasureStore {
  const spec = request.cases[at];
  if (!spec) return IDLE;
  const measure = {
    case: spec,
    to: "zero" as const,
    ...basesOf(request),
    other_case: otherCase(request, at),
  };
  const known = stores.get(client) ?? new Map<string, MeasureStore>();
  stores.set(client, known);
  const key = JSON.stringify(measure);
  const store = known.get(key) ?? new MeasureStore(measure);
  known.set(key, store);
  return store;
}

export type CaseMeasures = { store: MeasureStore; snapshot: MeasureSnapshot };

/** Measured effects of one case; measuring goes on while `isOn` and the result is current. */
export function useMeasured(view: DebugView, at: number, isOn: boolean): CaseMeasures {
  const client = useQueryClient();
  const store = useMemo(() => storeFor(client, view.request, at), [client, view.request, at]);
  const snapshot = useSyncExternalStore(isOn && !view.stale ? store.subscribe : NEVER, store.getSnapshot);
  return useMemo(() => ({ store, snapshot }), [store, snapshot]);
}

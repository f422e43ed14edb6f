import { createContext, useContext } from "react";

import type { DebugActions, DebugView } from "../view";
import type { Measured } from "./metrics";
import type { NodeTokensLoader } from "./node-tokens-loader";
import type { Labels } from "./use-labels";

/** It changes with the question, not with every effect that is measured. */
export type TableContextValue = {
  view: DebugView;
  actions: DebugActions;
  /** Value at which a bar reaches the end of its track. */
  scale: number;
  unit: string;
  /** Of token lists, for each case. */
  loaders: readonly [NodeTokensLoader, NodeTokensLoader];
  /** The best explanations of the components in the table. */
  labels: Labels;
  /** Null while they alone are shown. */
  showFlagged: (() => void) | null;
};

export const TableContext = createContext<TableContextValue | null>(null);

/** What every cell needs beside its row. */
export function useTable(): TableContextValue {
  const value = useContext(TableContext);
  if (!value) throw new Error("Cells are drawn inside the node table only.");
  return value;
}

const NOTHING: Measured = [];

/** What was measured of one row. */
export const RowMeasured = createContext<Measured>(NOTHING);

export function useRowMeasured(): Measured {
  return useContext(RowMeasured);
}

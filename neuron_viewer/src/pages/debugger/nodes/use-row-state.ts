import { useMemo, useRef, useState } from "react";

import type { DebugActions } from "../view";
import type { TableRow } from "./table-rows";

export type RowState = ReturnType<typeof useRowState>;

/** What a row can ask for; the same object as long as the page is. */
export type RowControls = {
  /** Selects the row, and opens it or closes it again. */
  toggle: (row: string) => void;
  open: (row: string | null, scaling?: boolean) => void;
  setScaling: (on: boolean) => void;
};

/** Which row is selected (in the URL), which one is open, and whether the focus follows the selection. */
export function useRowState(selected: string | null, select: DebugActions["select"]) {
  const [openRow, setOpenRow] = useState<string | null>(null);
  const [isScaling, setScaling] = useState(false);
  /** Where the focus is going: keys come faster than the URL takes up a selection. */
  const target = useRef<string | null>(null);

  const controls: RowControls = useMemo(
    () => ({
      toggle: (row) => {
        target.current = null;
        select(row);
        setOpenRow((open) => (open === row ? null : row));
        setScaling(false);
      },
      open: (row, scaling = false) => {
        setOpenRow(row);
        setScaling(scaling);
      },
      setScaling,
    }),
    [select],
  );
  return {
    selected,
    openRow,
    isScaling,
    controls,
    /** Selects the row above or below; the focus goes there as soon as it is drawn. */
    move: (shown: readonly TableRow[], by: 1 | -1) => {
      const next = neighbour(shown, target.current ?? selected, by);
      if (next === null || next === selected) return;
      target.current = next;
      select(next);
    },
    /** Whether the focus is to go to the row that is selected now; asked once for each time. */
    takeFocus: (): boolean => {
      const isThere = target.current !== null && target.current === selected;
      if (isThere) target.current = null;
      return isThere;
    },
  };
}

/** The row above or below; the first where none is selected, the same at either end. */
function neighbour(shown: readonly TableRow[], from: string | null, by: 1 | -1): string | null {
  const at = shown.findIndex(({ id }) => id === from);
  return (shown[at < 0 ? 0 : at + by] ?? shown[at])?.id ?? null;
}

import { useRef, useState } from "react";

import type { DebugActions } from "../view";

export type RowState = ReturnType<typeof useRowState>;

/** Which row is selected (in the URL), which one is open, and whether the focus follows the selection. */
export function useRowState(selected: string | null, select: DebugActions["select"]) {
  const [openNode, setOpenNode] = useState<string | null>(null);
  const [isScaling, setScaling] = useState(false);
  const wantsFocus = useRef(false);

  const open = (node: string | null, scaling = false) => {
    setOpenNode(node);
    setScaling(scaling);
  };
  return {
    selected,
    openNode,
    isScaling,
    setScaling,
    open,
    /** Selects the row; the focus goes there as soon as it is drawn. */
    focusOn: (node: string | null) => {
      if (node === null || node === selected) return;
      wantsFocus.current = true;
      select(node);
    },
    /** Whether the focus is to follow the selection; asked once for each time. */
    takeFocus: (): boolean => {
      const wanted = wantsFocus.current;
      wantsFocus.current = false;
      return wanted;
    },
    /** Selects the row, and opens it or closes it again. */
    toggle: (node: string) => {
      if (node !== selected) select(node);
      open(openNode === node ? null : node);
    },
  };
}

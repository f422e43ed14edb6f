import { useMemo, useState, type KeyboardEvent, type PointerEvent } from "react";

import {
  cellAt,
  isCell,
  moved,
  sortedRange,
  strongestCell,
  type HeatCell,
  type HeatLayout,
  type HeatModel,
  type HeatRange,
} from "./model";

const STEPS: Record<string, readonly [rows: number, columns: number]> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

interface Callbacks {
  onPoint: (cell: HeatCell | null) => void;
  onPick?: ((range: HeatRange) => void) | undefined;
}

/** Which cell the mouse or the keyboard is at, and the range being drawn from `anchor` to it. */
export function useCellPointer(model: HeatModel, layout: HeatLayout, { onPoint, onPick }: Callbacks) {
  const [stored, setStored] = useState<HeatCell | null>(null);
  const [anchor, setAnchor] = useState<HeatCell | null>(null);
  const [pointed, setPointed] = useState<HeatCell | null>(null);
  const [sought, setSought] = useState<HeatCell | null>(null);
  const strongest = useMemo(() => strongestCell(model), [model]);
  const active = stored !== null && isCell(model, stored) ? stored : (model.home ?? strongest);

  const point = (cell: HeatCell | null) => {
    if (cell?.row === pointed?.row && cell?.column === pointed?.column) return;
    setPointed(cell);
    onPoint(cell);
  };
  const pick = (to: HeatCell) => {
    onPick?.(sortedRange({ from: anchor ?? to, to }));
    setAnchor(null);
  };
  const goTo = (cell: HeatCell) => {
    setStored(cell);
    setSought(cell);
    point(cell);
  };
  const find = (event: PointerEvent<HTMLElement>) => {
    const box = event.currentTarget.getBoundingClientRect();
    return cellAt(model, layout, event.clientX - box.left, event.clientY - box.top);
  };

  const onKeyDown = (event: KeyboardEvent<HTMLElement>) => {
    const step = STEPS[event.key];
    if (!active || event.ctrlKey || event.metaKey || event.altKey) return;
    if (step) {
      if (event.shiftKey && onPick) setAnchor(anchor ?? active);
      else setAnchor(null);
      goTo(moved(model, active, step[0], step[1]));
    } else if (event.key === "Home" || event.key === "End") {
      const away = event.key === "Home" ? -1 : model.columns.length;
      goTo(moved(model, { row: active.row, column: away }, 0, event.key === "Home" ? 1 : -1));
    } else if ((event.key === "Enter" || event.key === " ") && onPick) pick(active);
    else if (event.key === "Escape" && anchor) setAnchor(null);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return {
    active,
    /** Where the keyboard went last. */
    sought: sought !== null && isCell(model, sought) ? sought : null,
    range: anchor && pointed ? sortedRange({ from: anchor, to: pointed }) : null,
    keyboard: {
      onKeyDown,
      onFocus: () => point(active),
      onBlur: () => point(null),
    },
    pointer: {
      onPointerMove: (event: PointerEvent<HTMLElement>) => point(find(event)),
      onPointerLeave: () => {
        setAnchor(null);
        point(null);
      },
      onPointerDown: (event: PointerEvent<HTMLElement>) => {
        const cell = find(event);
        if (event.button !== 0 || !cell) return;
        setStored(cell);
        setAnchor(cell);
      },
      onPointerUp: (event: PointerEvent<HTMLElement>) => {
        const cell = find(event);
        if (cell && anchor) pick(cell);
      },
      onPointerCancel: () => setAnchor(null),
    },
  };
}

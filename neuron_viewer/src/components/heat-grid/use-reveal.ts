import { useLayoutEffect, type RefObject } from "react";

import { rangeBox, type HeatCell, type HeatLayout, type HeatModel } from "./model";

/** Columns and rows kept in view around a revealed cell. */
const SPARE = 2;

/** Scrolls a cell into view whenever another one is given; the fixed labels take `inset` of the element. */
export function useReveal(
  ref: RefObject<HTMLElement | null>,
  model: HeatModel,
  layout: HeatLayout,
  cell: HeatCell | null,
  inset: { left: number; top: number },
): void {
  const box = cell ? rangeBox(model, layout, { from: cell, to: cell }) : null;
  const { left, top, width, height } = box ?? { left: -1, top: 0, width: 0, height: 0 };
  useLayoutEffect(() => {
    const element = ref.current;
    if (!element || left < 0) return;
    element.scrollLeft = nearest(element.scrollLeft, left, width, element.clientWidth - inset.left);
    element.scrollTop = nearest(element.scrollTop, top, height, element.clientHeight - inset.top);
  }, [ref, left, top, width, height, inset.left, inset.top]);
}

/** The scroll offset closest to `offset` at which the span lies within `room`, with some to spare. */
export function nearest(offset: number, start: number, size: number, room: number): number {
  const spare = Math.min(SPARE * size, Math.max(0, (room - size) / 2));
  return Math.max(0, start + size + spare - room, Math.min(offset, start - spare));
}

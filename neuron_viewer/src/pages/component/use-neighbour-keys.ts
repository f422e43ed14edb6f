import { useEffect, useEffectEvent } from "react";

import type { Direction } from "./bounds";

const KEYS: Record<string, Direction> = {
  "[": "previous",
  "]": "next",
  ArrowLeft: "previous",
  ArrowRight: "next",
  ArrowUp: "above",
  ArrowDown: "below",
};
const OWN_KEYS =
  "input, textarea, select, [contenteditable=true], [role=grid], [role=region], [role=menu], dialog";

/** `[` `]` or Left and Right go to the neighbours, Up and Down to the layers; not while something else takes the keys. */
export function useNeighbourKeys(go: (direction: Direction) => boolean): void {
  const onKey = useEffectEvent((event: KeyboardEvent) => {
    const direction = KEYS[event.key];
    if (!direction || event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    if (event.target instanceof Element && event.target.closest(OWN_KEYS)) return;
    if (go(direction)) event.preventDefault();
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      onKey(event);
    };
    window.addEventListener("keydown", listen);
    return () => {
      window.removeEventListener("keydown", listen);
    };
  }, []);
}

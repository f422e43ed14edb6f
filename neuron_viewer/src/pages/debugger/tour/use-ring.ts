import { useEffect, useMemo } from "react";

import type { Ring } from "./step-content";
import { ringElement } from "./ring-place";

/** What the card hangs from: wherever the ringed part of the page is now, which is brought into view once. */
export function useRing(ring: Ring, isThere: boolean) {
  useEffect(() => {
    // Until the panels have drawn the answer there may be nothing to bring into view.
    const frame = requestAnimationFrame(() => {
      ringElement(ring)?.scrollIntoView({ block: "nearest" });
    });
    return () => { cancelAnimationFrame(frame); };
  }, [ring, isThere]);
  return useMemo(
    () => ({ current: { getBoundingClientRect: () => ringElement(ring)?.getBoundingClientRect() ?? new DOMRect() } }),
    [ring],
  );
}

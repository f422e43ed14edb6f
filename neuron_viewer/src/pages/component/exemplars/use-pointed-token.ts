import { useEffect, useState, type PointerEvent } from "react";

export interface PointedToken {
  /** Index of the line in the list. */
  line: number;
  token: number;
  /** Where the token is on the screen. */
  box: DOMRect;
}

/** The token under the pointer or the finger, of any line: one listener for the whole list. */
export function usePointedToken() {
  const [pointed, setPointed] = useState<PointedToken | null>(null);
  useEffect(() => {
    // The box is where the token was on the screen.
    const clear = () => {
      setPointed(null);
    };
    window.addEventListener("scroll", clear, { passive: true });
    return () => {
      window.removeEventListener("scroll", clear);
    };
  }, []);
  function point(event: PointerEvent) {
    const element = event.target instanceof Element ? event.target.closest<HTMLElement>("[data-token]") : null;
    const row = element?.closest<HTMLElement>("[data-index]");
    if (!element || !row) return;
    const line = Number(row.dataset.index);
    const token = Number(element.dataset.token);
    if (pointed?.line === line && pointed.token === token) return;
    setPointed({ line, token, box: element.getBoundingClientRect() });
  }
  function leave() {
    setPointed(null);
  }
  return { pointed, handlers: { onPointerOver: point, onPointerDown: point, onPointerLeave: leave } };
}

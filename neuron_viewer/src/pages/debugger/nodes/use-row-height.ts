import { useSyncExternalStore } from "react";

const PHONE = "(max-width: 640px)";

function subscribe(onChange: () => void): () => void {
  const query = window.matchMedia(PHONE);
  query.addEventListener("change", onChange);
  return () => query.removeEventListener("change", onChange);
}

/** Height of a closed row in px, as the style sheet has it. */
export function useRowHeight(): number {
  return useSyncExternalStore(subscribe, () => (window.matchMedia(PHONE).matches ? 40 : 24));
}

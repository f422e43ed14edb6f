/** Where on the page a step points: the first of these that is there, else the question, which always is. */
import type { Ring } from "./step-content";

type Place = { selectors: readonly string[]; side: "bottom" | "right"; align: "start" | "end" };

const HEAD_ROW = ".nodes tr.row[aria-current='true']";
const QUESTION = ".question";

export const PLACES: Record<Ring, Place> = {
  slot: { selectors: [".question .slot", ".question .prompt"], side: "bottom", align: "start" },
  parts: { selectors: [".answer > .parts"], side: "bottom", align: "end" },
  head: { selectors: [HEAD_ROW, ".nodes"], side: "right", align: "start" },
  nodes: { selectors: [".nodes > header", ".answer"], side: "bottom", align: "end" },
  figures: { selectors: [".answer .fig"], side: "bottom", align: "start" },
  trace: { selectors: [".crumb.deep", ".answer"], side: "bottom", align: "end" },
};

export function ringElement(ring: Ring): Element | null {
  for (const selector of [...PLACES[ring].selectors, QUESTION]) {
    const element = document.querySelector(selector);
    if (element) return element;
  }
  return null;
}

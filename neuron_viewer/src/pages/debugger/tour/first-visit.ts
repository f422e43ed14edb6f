/** Whether the tour is offered: on one visit, and never again. */
const KEY = "tour";
let offers: boolean | null = null;

/** The same answer until the page is loaded again, however often it is asked. */
export function isFirstVisit(): boolean {
  offers ??= takeOffer();
  return offers;
}

/** Done with, also for the rest of this visit. */
export function endOffer(): void {
  offers = false;
}

function takeOffer(): boolean {
  try {
    if (window.localStorage.getItem(KEY) !== null) return false;
    window.localStorage.setItem(KEY, "offered");
    return true;
  } catch {
    // A browser that remembers nothing would be asked on every visit.
    return false;
  }
}

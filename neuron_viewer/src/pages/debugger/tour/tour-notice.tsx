import { useTour } from "./tour-context";

/** One line on a first visit; gone for good once answered. */
export function TourNotice() {
  const { isOffered, show, close } = useTour();
  if (!isOffered) return null;
  return (
    <p className="tour-notice">
      <span>
        New here?<span className="why"> Five steps lead from a prompt to the heads behind its answer.</span>
      </span>
      <button type="button" className="btn small" onClick={() => { show("question"); }}>
        Take the tour
      </button>
      <button type="button" className="btn small plain" onClick={close}>
        No, thanks
      </button>
    </p>
  );
}

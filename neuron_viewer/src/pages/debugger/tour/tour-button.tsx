import { CARD_ID } from "./card-id";
import { useTour } from "./tour-context";

/** Starts the tour; while it is on, leads back to its card. */
export function TourButton() {
  const { step, show, button } = useTour();
  return (
    <button
      ref={button}
      type="button"
      className="btn plain"
      aria-haspopup="dialog"
      title="Five steps from a prompt to the heads behind its answer"
      onClick={() => {
        if (step === null) show("question");
        else document.getElementById(CARD_ID)?.querySelector<HTMLElement>("[data-forward]")?.focus();
      }}
    >
      Tour
    </button>
  );
}

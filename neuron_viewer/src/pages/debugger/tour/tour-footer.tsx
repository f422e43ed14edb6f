import type { StepContent, StepWays } from "./step-content";
import { STEPS } from "./steps";

type TourFooterProps = { step: number; content: StepContent; ways: StepWays };

/** The ways on. The last button is the same one throughout, so that Enter alone leads through the tour. */
export function TourFooter({ step, content, ways }: TourFooterProps) {
  const { action, offer } = content;
  const isLast = step === STEPS.length;
  const forward = isLast ? "Done" : "Next";
  function goOn() {
    if (action) ways.act(action.act);
    else if (isLast) ways.close();
    else ways.go(1);
  }
  return (
    <div className="tour-ways">
      {offer && (
        <button type="button" className="btn small offer" onClick={() => { ways.act(offer.act); }}>
          {offer.label}
        </button>
      )}
      {step > 1 && (
        <button type="button" className="btn small plain" onClick={() => { ways.go(-1); }}>
          Back
        </button>
      )}
      {action && !isLast && (
        <button type="button" className="btn small plain" onClick={() => { ways.go(1); }}>
          Skip
        </button>
      )}
      <button
        key="forward"
        type="button"
        className="btn small primary"
        data-forward
        onClick={goOn}
        onKeyDown={(event) => {
          // A key held down would run through all the steps.
          if (event.repeat) event.preventDefault();
        }}
      >
        {action?.label ?? forward}
      </button>
    </div>
  );
}

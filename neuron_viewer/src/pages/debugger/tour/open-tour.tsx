import type { PageState } from "../page-state";
import { HeadBars } from "./head-bars";
import { stepContent } from "./step-content";
import { type StepName, STEPS } from "./steps";
import { act, enter } from "./tour-acts";
import { TourCard } from "./tour-card";
import { useTour } from "./tour-context";
import { TourProse } from "./tour-prose";
import { useTourFacts } from "./use-tour-facts";

/** One step: what it says of the page as it is now, and the ways on. */
export function OpenTour({ page, step }: { page: PageState; step: StepName }) {
  const tour = useTour();
  const facts = useTourFacts(page);
  const content = stepContent(step, facts);
  const { head, measured, answered } = facts;
  const { actions, model } = page;
  const at = STEPS.indexOf(step);

  function go(to: number) {
    const next = STEPS[to];
    if (next === undefined) return;
    enter(next, actions, head);
    tour.show(next);
  }
  return (
    <TourCard
      step={at + 1}
      content={content}
      isReady={answered !== null}
      ways={{
        act: (name) => { act(name, actions, model, head); },
        go: (by) => { go(at + by); },
        close: tour.close,
      }}
    >
      <TourProse text={content.text} />
      {content.ring === "head" && step === "heads" && head && (
        <HeadBars head={head} measured={measured} unit={answered?.response.cases[0]?.objective.unit ?? ""} />
      )}
    </TourCard>
  );
}

import * as Popover from "@radix-ui/react-popover";
import type { KeyboardEvent, ReactNode } from "react";

import { CARD_ID } from "./card-id";
import { PLACES } from "./ring-place";
import type { StepContent, StepWays } from "./step-content";
import { STEPS } from "./steps";
import { TourFooter } from "./tour-footer";
import { useRing } from "./use-ring";

type TourCardProps = {
  /** From one. */
  step: number;
  content: StepContent;
  /** Whether the panels show the answer that the step is about. */
  isReady: boolean;
  ways: StepWays;
  children: ReactNode;
};

/** A popover at the part of the page that a step is about; on a phone it docks to the bottom. The page stays in use. */
export function TourCard({ step, content, isReady, ways, children }: TourCardProps) {
  const anchor = useRing(content.ring, isReady);
  const { side, align } = PLACES[content.ring];
  function onKeyDown(event: KeyboardEvent) {
    const by = ({ ArrowRight: 1, ArrowLeft: -1 } as const)[event.key];
    if (!by || event.altKey || event.ctrlKey || event.metaKey) return;
    event.preventDefault();
    ways.go(by);
  }
  return (
    <Popover.Root open onOpenChange={ways.close}>
      <span className="tour-mark" data-ring={content.ring} hidden />
      <Popover.Anchor virtualRef={anchor} />
      <Popover.Portal>
        <Popover.Content
          id={CARD_ID}
          className="pop stat tour-card"
          aria-labelledby={`${CARD_ID}-title`}
          aria-describedby={`${CARD_ID}-text`}
          side={side}
          align={align}
          sideOffset={8}
          collisionPadding={8}
          updatePositionStrategy="always"
          onKeyDown={onKeyDown}
          onOpenAutoFocus={focusForward}
          onCloseAutoFocus={preventDefault}
          onInteractOutside={preventDefault}
        >
          <header>
            <h2 id={`${CARD_ID}-title`}>{content.title}</h2>
            <span className="note">
              Tour, {step} of {STEPS.length}
            </span>
            <button type="button" className="x" aria-label="Close the tour" onClick={ways.close}>
              {"\u00d7"}
            </button>
          </header>
          <div id={`${CARD_ID}-text`} className="tour-text" aria-live="polite">
            {children}
          </div>
          <TourFooter step={step} content={content} ways={ways} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function focusForward(event: Event) {
  event.preventDefault();
  if (event.currentTarget instanceof HTMLElement) {
    event.currentTarget.querySelector<HTMLElement>("[data-forward]")?.focus({ preventScroll: true });
  }
}

function preventDefault(event: Event) {
  event.preventDefault();
}

import "./tour.css";

import { type ReactNode, useMemo, useRef, useState } from "react";

import { endOffer, isFirstVisit } from "./first-visit";
import type { StepName } from "./steps";
import { TourContext, type TourState } from "./tour-context";

/** Keeps the tour's place above the panels, whatever question they are asked. */
export function TourProvider({ children }: { children: ReactNode }) {
  const [step, setStep] = useState<StepName | null>(null);
  const [isOffered, setOffered] = useState(isFirstVisit);
  const button = useRef<HTMLButtonElement>(null);
  const state = useMemo<TourState>(() => {
    function answerOffer() {
      endOffer();
      setOffered(false);
    }
    return {
      step,
      isOffered,
      button,
      show: (next) => {
        answerOffer();
        setStep(next);
      },
      close: () => {
        answerOffer();
        setStep(null);
        button.current?.focus({ preventScroll: true });
      },
    };
  }, [step, isOffered]);
  return <TourContext value={state}>{children}</TourContext>;
}

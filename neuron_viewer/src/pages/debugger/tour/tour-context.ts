import { createContext, type RefObject, useContext } from "react";

import type { StepName } from "./steps";

export type TourState = {
  /** The step on screen; null while no tour is on. */
  step: StepName | null;
  /** Whether this is a first visit, to be told of the tour. */
  isOffered: boolean;
  show: (step: StepName) => void;
  /** Ends the tour, or turns the offer down; the focus returns to the button that starts it. */
  close: () => void;
  button: RefObject<HTMLButtonElement | null>;
};

export const TourContext = createContext<TourState>({
  step: null,
  isOffered: false,
  show: () => undefined,
  close: () => undefined,
  button: { current: null },
});

export function useTour(): TourState {
  return useContext(TourContext);
}

import type { PageState } from "../page-state";
import { OpenTour } from "./open-tour";
import { useTour } from "./tour-context";

/** The guided tour, while it is on. */
export function Tour({ page }: { page: PageState }) {
  const { step } = useTour();
  return step === null ? null : <OpenTour page={page} step={step} />;
}

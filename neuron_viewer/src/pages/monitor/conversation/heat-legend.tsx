import { Token } from "@/components/token";

import type { Explained } from "../monitor-state";

/** Blue speaks for the token that is explained, orange against it, or for the one it is compared with. */
export function HeatLegend({ explained }: { explained: Explained }) {
  const { of, distractor } = explained;
  const against = of === "logit_diff" ? distractor : null;
  return (
    <span className="legend">
      {against === null ? "against" : <>toward <Token text={against} /></>}
      <span className="ramp" />
      {against === null ? "for it" : "toward it"}
    </span>
  );
}

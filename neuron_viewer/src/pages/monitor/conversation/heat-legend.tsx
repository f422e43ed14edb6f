import type { InfluenceResponse } from "@/api/types";
import { Token } from "@/components/token";

/** Blue speaks for the token that is explained; orange against it, or for the one it is compared with. */
export function HeatLegend({ objective }: { objective: InfluenceResponse["objective"] }) {
  const { token, distractor } = objective;
  return (
    <span className="legend">
      {distractor ? <>toward <Token text={distractor.text} /></> : "against"}
      <span className="ramp" />
      toward <Token text={token.text} />
    </span>
  );
}

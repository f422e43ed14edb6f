import { ValueBar } from "@/components/value-bar";
import { maxAbs } from "@/lib/color";
import { define } from "@/lib/define";

import { flagOf } from "@/lib/disagreement";
import type { Head } from "./steps";

type HeadBarsProps = { head: Head; measured: number | null; unit: string };

/** The head's three effects on one scale, drawn as in its row. */
export function HeadBars({ head, measured, unit }: HeadBarsProps) {
  const { direct, estimate, node } = head;
  const scale = maxAbs([direct, estimate, measured]) || 1;
  return (
    <dl className="tour-bars">
      <dt>Direct effect</dt>
      <dd {...define("direct_effect", { exact: direct, unit, node })}>
        <ValueBar value={direct} scale={scale} />
      </dd>
      <dt>
        Total effect <span className="tag">estimate</span>
      </dt>
      <dd {...define("total_effect", { exact: estimate, unit, node })}>
        <ValueBar value={estimate} scale={scale} estimated />
      </dd>
      <dt>Measured effect</dt>
      <dd {...define("measured_effect", { exact: measured, unit, node })}>
        {measured === null ? (
          <span className="pend" />
        ) : (
          <ValueBar
            value={measured}
            scale={scale}
            estimate={estimate}
            disagrees={flagOf(estimate, measured) !== null}
          />
        )}
      </dd>
    </dl>
  );
}

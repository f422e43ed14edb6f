import type { CaseResult } from "@/api/types";
import { define } from "@/lib/define";
import { formatEffect } from "@/lib/format";

/** How much of the objective the listed rows hold, and what is left out. */
export function Listed({ result }: { result: CaseResult }) {
  const { value, unit, adds_up } = result.objective;
  const listed = result.listed_direct_effect;
  if (!adds_up) return null;
  return (
    <div className="listed">
      <span className="label">Rows listed hold</span>
      <span {...define("listed_direct_effect", { exact: listed, unit })}>
        <b>{formatEffect(listed)}</b> <span className="quiet">of {formatEffect(value)}</span>
      </span>
      <span className="note">not listed {formatEffect(value - listed)}</span>
    </div>
  );
}

import type { CaseResult } from "@/api/types";
import { KIND_NAMES, KindMark } from "@/components/kind-mark";
import { Track } from "@/components/value-bar";
import { maxAbs } from "@/lib/color";
import { define } from "@/lib/define";
import { formatEffect, formatExact, isZeroEffect } from "@/lib/format";

type KindsProps = { left: CaseResult; right: CaseResult | null; bases: { attn: string; mlp: string } };
type KindKey = keyof CaseResult["direct_effect_by_kind"];

const ALWAYS: KindKey[] = ["embed", "attn", "mlp", "bias"];
/** Shown only where they hold something: what a coder missed, and what an edit wrote. */
const SOMETIMES: KindKey[] = ["error", "edit"];

/** The objective's parts by kind, and their sum where the objective is linear. */
export function Kinds({ left, right, bases }: KindsProps) {
  const parts = left.direct_effect_by_kind;
  const others = right?.direct_effect_by_kind;
  const kinds = [...ALWAYS, ...SOMETIMES.filter((kind) => parts[kind] !== 0 || (others?.[kind] ?? 0) !== 0)];
  const shown = (kind: KindKey) => (others ? parts[kind] - others[kind] : parts[kind]);
  const scale = maxAbs(kinds.map(shown)) || 1;
  const unit = left.objective.unit;
  return (
    <dl className="kinds">
      <div className="kt">
        <dt>Direct effect{others ? ", and change" : " by kind"}</dt>
        <dd className="sr">{unit}</dd>
      </div>
      {kinds.map((kind) => (
        <div key={kind} className="kind" title={coderIn(kind, bases)}>
          <dt>
            {kind !== "edit" && <KindMark kind={kind} />}
            {nameOf(kind)}
          </dt>
          <dd className="num">
            <span
              className={isZeroEffect(parts[kind]) ? "quiet" : undefined}
              {...define("direct_effect", { exact: parts[kind], unit })}
            >
              {formatEffect(parts[kind])}
            </span>
            {others && <span className="quiet change">{formatEffect(shown(kind))}</span>}
          </dd>
          <dd>
            <Track value={shown(kind)} scale={scale} />
          </dd>
        </div>
      ))}
      {!right && <Sum result={left} />}
    </dl>
  );
}

function Sum({ result }: { result: CaseResult }) {
  const { value, adds_up } = result.objective;
  if (!adds_up) {
    return (
      <div className="sum">
        <dt>Sum</dt>
        <dd className="note">not linear in the writes, so the parts need not add up</dd>
      </div>
    );
  }
  const sum = Object.values(result.direct_effect_by_kind).reduce((total, part) => total + part, 0);
  // The bound the server is tested to: 1e-4 relative in float32; a decade is left for bfloat16.
  const equal = Math.abs(sum - value) <= 1e-3 * Math.max(1, Math.abs(value));
  return (
    <div className="sum">
      <dt>Sum</dt>
      <dd className="num" {...define("direct_effect", { exact: sum, unit: result.objective.unit })}>
        <b>{formatEffect(sum)}</b>
      </dd>
      <dd className={equal ? "ok small" : "alert small"}>
        {equal ? "equals the objective" : `off by ${formatExact(sum - value)}`}
      </dd>
    </div>
  );
}

function nameOf(kind: KindKey): string {
  return kind === "edit" ? "Edits" : kind === "error" ? "Error" : KIND_NAMES[kind].name;
}

/** Which coder's latents hold the part. */
function coderIn(kind: KindKey, bases: KindsProps["bases"]): string | undefined {
  const name = kind === "attn" || kind === "mlp" ? bases[kind] : "neuron";
  return name === "neuron" || name === "head" ? undefined : `as latents of ${name}`;
}

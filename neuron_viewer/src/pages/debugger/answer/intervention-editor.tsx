import type { InterventionSpec } from "@/api/types";
import { formatMagnitude } from "@/lib/format";
import { type Verb, withVerb } from "@/lib/intervention-words";

import type { PageState } from "../page-state";
import { NumberSlider } from "@/components/number-slider";
import { PositionSelect } from "./position-select";

type InterventionEditorProps = {
  page: PageState;
  spec: InterventionSpec;
  onChange: (spec: InterventionSpec) => void;
};

const VERBS: Verb[] = ["ablate", "scale", "set", "patch", "steer"];

/** What to do, with which value, at which tokens. Every change applies at once. */
export function InterventionEditor({ page, spec, onChange }: InterventionEditorProps) {
  const was = activationOf(page, spec);
  return (
    <>
      <div className="row">
        <span className="label">Do</span>
        <span className="seg" role="group" aria-label="What to do">
          {VERBS.map((verb) => {
            const missing = whyNot(verb, page);
            return (
              <button
                key={verb}
                type="button"
                aria-pressed={spec.kind === verb}
                disabled={missing !== null}
                title={missing ?? undefined}
                onClick={() => { if (verb !== spec.kind) onChange(withVerb(spec, verb, was)); }}
              >
                {verb}
              </button>
            );
          })}
        </span>
      </div>
      <ValueRow spec={spec} was={was} onChange={onChange} />
      <div className="row">
        <span className="label">At</span>
        <PositionSelect
          label="Token"
          page={page}
          positions={spec.positions ?? null}
          onChange={(positions) => { onChange({ ...spec, positions }); }}
        />
        {spec.component.startsWith("attn_L") && (
          <>
            <span className="label k2">to</span>
            <PositionSelect
              label="Token attended to"
              page={page}
              positions={spec.key_positions ?? null}
              onChange={(key_positions) => { onChange({ ...spec, key_positions }); }}
            />
          </>
        )}
      </div>
    </>
  );
}

type ValueRowProps = { spec: InterventionSpec; was: number | null; onChange: (spec: InterventionSpec) => void };

function ValueRow({ spec, was, onChange }: ValueRowProps) {
  if (spec.kind === "patch") return null;
  return (
    <div className="row">
      <span className="label">Value</span>
      {spec.kind === "ablate" && (
        <span className="seg" role="group" aria-label="Ablate to">
          {(["zero", "mean"] as const).map((value) => (
            <button
              key={value}
              type="button"
              aria-pressed={spec.value === value}
              title={value === "mean" ? "Its mean over the prompt's positions" : undefined}
              onClick={() => { onChange({ ...spec, value }); }}
            >
              {value}
            </button>
          ))}
        </span>
      )}
      {(spec.kind === "scale" || spec.kind === "set") && (
        <NumberSlider
          label={spec.kind === "scale" ? "Scale by" : "Set to"}
          value={spec.value}
          range={spec.kind === "scale" ? [-2, 3] : rangeAbout(was)}
          onCommit={(value) => { onChange({ ...spec, value }); }}
        />
      )}
      {spec.kind === "steer" && (
        <NumberSlider
          label="Strength"
          value={spec.strength}
          range={[-4, 4]}
          onCommit={(strength) => { onChange({ ...spec, strength }); }}
        />
      )}
      {was !== null && spec.kind !== "ablate" && (
        <span className="quiet small">was {formatMagnitude(was)}</span>
      )}
    </div>
  );
}

function whyNot(verb: Verb, { question, model }: PageState): string | null {
  if (verb === "patch" && !question.right) return "Add a second prompt to patch from it";
  if (verb === "steer" && model.datasets.length === 0) return "Steering needs a dataset's quantiles";
  return null;
}

/** The component's unedited activation at that place, where a row holds it. */
function activationOf({ result }: PageState, spec: InterventionSpec): number | null {
  const row = result.answered?.response.nodes.find(
    (node) =>
      node.component === spec.component &&
      (spec.positions?.[0] ?? node.position) === node.position &&
      (spec.key_positions?.[0] ?? node.key_position) === node.key_position,
  );
  return row?.values.at(-1)?.activation ?? null;
}

function rangeAbout(was: number | null): [number, number] {
  const size = Math.max(1, 2 * Math.abs(was ?? 1));
  return was !== null && was >= 0 && was <= 1 ? [0, 1] : [-size, size];
}

import type { ConceptSpec } from "@/api/types";
import { Chip } from "@/components/chip";
import { NumberSlider } from "@/components/number-slider";

import { Choice } from "../components/listing-controls";
import type { Range } from "../monitor-state";

type ActiveConceptProps = {
  concept: ConceptSpec;
  /** Tokens that are selected, to act on them alone. */
  range: Range | null;
  onChange: (concept: ConceptSpec) => void;
  onRemove: () => void;
};

const WHERES = [["prompt", "prompt"], ["generated", "reply"], ["everything", "all"]] as const;
const METHODS = [["set", "set"], ["add", "add"], ["scale", "scale"]] as const;
const METHOD_HELP = {
  set: "Their activation is set to the strength times their own extreme quantile, a head\u2019s weights multiplied by it; 0 suppresses.",
  add: "The strength times their own extreme quantile is added to their activation; a head\u2019s weights are multiplied by 1 + it.",
  scale: "Their activation is multiplied by the strength; 1 changes nothing.",
};

/** A concept that steers: on or off, how strongly, where and how. */
export function ActiveConcept({ concept, range, onChange, onRemove }: ActiveConceptProps) {
  const { name, strength, members, enabled, positions } = concept;
  const title = name || members.map(({ component }) => component).join(", ");
  return (
    <div className="oneconcept" role="group" aria-label={title}>
      <div className="active">
        <button
          type="button"
          className="switch"
          role="switch"
          aria-checked={enabled}
          aria-label={`${title}, in force`}
          onClick={() => { onChange({ ...concept, enabled: !enabled }); }}
        />
        <Chip tone="edit" name={title} onRemove={onRemove}>
          <span className="clip">
            <b>{verbOf(concept)}</b> {title}
          </span>
        </Chip>
        <span className="quiet small">
          {members.length} {members.length === 1 ? "component" : "components"}
        </span>
      </div>
      <div className="row">
        <span className="label">Strength {"\u03bb"}</span>
        <NumberSlider
          label="Strength"
          value={strength}
          range={[0, 2]}
          onCommit={(next) => { onChange({ ...concept, strength: next }); }}
        />
      </div>
      <div className="row">
        <span className="label">Acts on</span>
        {positions ? (
          <button type="button" className="link small" onClick={() => { onChange({ ...concept, positions: null }); }}>
            tokens {tokensText(positions)}: act everywhere instead
          </button>
        ) : (
          <>
            <Choice
              label="Acts on"
              options={WHERES}
              value={concept.where}
              onChange={(where) => { onChange({ ...concept, where }); }}
            />
            {range && (
              <button
                type="button"
                className="link small"
                onClick={() => { onChange({ ...concept, positions: numbersOf(range) }); }}
              >
                only tokens {tokensText(numbersOf(range))}
              </button>
            )}
          </>
        )}
      </div>
      <div className="row">
        <span className="label">Method</span>
        <Choice
          label="Method"
          options={METHODS}
          value={concept.method}
          onChange={(method) => { onChange({ ...concept, method }); }}
        />
      </div>
      <p className="note">{METHOD_HELP[concept.method]} Only their matching side acts.</p>
    </div>
  );
}

function numbersOf([first, last]: Range): number[] {
  return Array.from({ length: last - first + 1 }, (_, index) => first + index);
}

/** A run of tokens by its ends, others one by one. */
export function tokensText(positions: readonly number[]): string {
  const [first = 0] = positions;
  const isRun = positions.length > 1 && positions.every((position, index) => position === first + index);
  return isRun ? `${first}\u2013${first + positions.length - 1}` : positions.join(", ");
}

export function verbOf({ strength, method }: ConceptSpec): string {
  const least = method === "scale" ? 1 : 0;
  if (strength > least) return "strengthen";
  return strength < least || method !== "add" ? "suppress" : "leave";
}

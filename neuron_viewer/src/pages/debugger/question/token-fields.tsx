import { useState } from "react";

import { TokenField } from "./token-field";

type TokenFieldsProps = {
  role: "target" | "distractor";
  texts: string[];
  before: string;
  next: string | undefined;
  refused: boolean;
  onChange: (texts: string[]) => void;
};

/** The targets or the distractors: their mean logit counts. */
export function TokenFields({ role, texts, onChange, ...context }: TokenFieldsProps) {
  const [adding, setAdding] = useState(false);
  return (
    <>
      {texts.map((text, place) => (
        <TokenField
          key={`${place} ${text}`}
          role={role}
          text={text}
          {...context}
          onChange={(next) => {
            onChange(texts.toSpliced(place, 1, ...(next === null ? [] : [next])));
          }}
        />
      ))}
      {adding && (
        <TokenField
          role={role}
          text=""
          {...context}
          refused={false}
          onChange={(next) => {
            setAdding(false);
            if (next !== null) onChange([...texts, next]);
          }}
        />
      )}
      {!adding && (
        <button
          type="button"
          className="btn plain addtoken"
          aria-label={`Add a ${role}`}
          title={texts.length > 0 ? `Add another ${role}: their mean logit counts` : `Add a ${role}`}
          onClick={() => { setAdding(true); }}
        >
          {texts.length > 0 ? "+" : "add"}
        </button>
      )}
    </>
  );
}

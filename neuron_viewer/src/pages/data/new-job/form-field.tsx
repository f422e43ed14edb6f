import { useId } from "react";

import type { FieldSpec } from "./job-form";

type FormFieldProps = {
  field: FieldSpec;
  value: string;
  problem: string | undefined;
  /** Choices, where the field has some: texts to start from, sites, coder sets. */
  choices: readonly string[];
  onChange: (value: string) => void;
};

/** A labelled field with what it is for, or what is wrong with it. */
export function FormField({ field, value, problem, choices, onChange }: FormFieldProps) {
  const id = useId();
  const note = `${id}-note`;
  const shared = {
    id,
    name: field.name,
    value,
    "aria-describedby": note,
    "aria-invalid": problem ? true : undefined,
  };
  if (field.type === "coders" && choices.length === 0) return null;
  return (
    <div className={problem ? "ffield bad" : "ffield"}>
      {field.type === "coders" ? (
        <Choices legend={field.label} value={value} choices={choices} onChange={onChange} />
      ) : (
        <>
          <label htmlFor={id}>{field.label}</label>
          {field.type === "site" || field.type === "coder" || field.type === "dataset" || field.type === "choice" ? (
            <span className="fselect">
              <select {...shared} onChange={(event) => { onChange(event.target.value); }}>
              {field.type !== "site" && field.type !== "choice" && <option value="">{choices.length > 0 ? "Choose" : "There are none yet"}</option>}
              {choices.map((choice) => (
                <option key={choice}>{choice}</option>
              ))}
              </select>
            </span>
          ) : (
            <input
              {...shared}
              type="text"
              autoComplete="off"
              spellCheck={false}
              list={choices.length > 0 ? `${id}-list` : undefined}
              onChange={(event) => { onChange(event.target.value); }}
            />
          )}
          {field.type === "corpus" && choices.length > 0 && (
            <datalist id={`${id}-list`}>
              {choices.map((choice) => (
                <option key={choice} value={choice} />
              ))}
            </datalist>
          )}
        </>
      )}
      <p id={note} className={problem ? "note alert" : "note"} role={problem ? "alert" : undefined}>
        {problem ?? field.hint}
      </p>
    </div>
  );
}

type ChoicesProps = { legend: string; value: string; choices: readonly string[]; onChange: (value: string) => void };

/** Several of a few: one a line in the value. */
function Choices({ legend, value, choices, onChange }: ChoicesProps) {
  const chosen = value.split("\n").filter(Boolean);
  return (
    <div className="fgroup" role="group" aria-label={legend}>
      <span className="flabel">{legend}</span>
      {choices.map((choice) => (
        <label key={choice} className="check">
          <input
            type="checkbox"
            checked={chosen.includes(choice)}
            onChange={(event) => {
              const others = chosen.filter((one) => one !== choice);
              onChange((event.target.checked ? [...others, choice] : others).join("\n"));
            }}
          />
          <span className="mono">{choice}</span>
        </label>
      ))}
    </div>
  );
}

import type { ReactNode } from "react";

import { ApiError } from "@/api/errors";

type ErrorNoteProps = {
  error: Error;
  /** What can be done about it: buttons. */
  children?: ReactNode;
};

const PLAIN = { hint: "", said: "", field: null };
const FIELDS: Record<string, string> = {
  target_tokens: "Target",
  distractor_tokens: "Distractor",
  prompt: "Prompt",
  position: "Position",
  interventions: "Intervention",
  trace: "Trace",
};

/** What went wrong, then the hint, then what can be done. */
export function ErrorNote({ error, children }: ErrorNoteProps) {
  const { hint, said, field } = error instanceof ApiError ? error : PLAIN;
  return (
    <div className="err" role="alert">
      <p>
        {field && <span className="mid">{FIELDS[field.name] ?? field.name}: </span>}
        <b>{said || error.message}</b>
      </p>
      {hint && <p className="mid">{hint}</p>}
      {children && <p className="warnrow">{children}</p>}
    </div>
  );
}

import type { ReactNode } from "react";

import { ApiError } from "@/api/errors";

type ErrorNoteProps = {
  error: Error;
  /** What can be done about it: buttons. */
  children?: ReactNode;
};

/** What went wrong, then the hint, then what can be done. */
export function ErrorNote({ error, children }: ErrorNoteProps) {
  const hint = error instanceof ApiError ? error.hint : "";
  return (
    <div className="err" role="alert">
      <p>
        <b>{error.message}</b>
      </p>
      {hint && <p className="mid">{hint}</p>}
      {children && <p className="warnrow">{children}</p>}
    </div>
  );
}

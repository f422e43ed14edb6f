/** A field of one case of a request; `place` is its index in a list. */
export type CaseField = { side: 0 | 1; name: string; place: number | null };

const PATH = /^(?:cases\[([01])\]|case|other_case)\.([a-z_]+)(?:\[(\d+)\])?[\w.[\]]*: /;

/** The one error the viewer shows: what the server said, and what to do about it. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly hint: string,
  ) {
    super(message);
    this.name = "ApiError";
  }

  /** What was wrong, without the path of the field, which the page names in its own words. */
  get said(): string {
    return this.message.replace(PATH, "");
  }

  /** The field of a case that the message begins with, as in `cases[1].target_tokens[0]: ...`. */
  get field(): CaseField | null {
    const found = PATH.exec(this.message);
    const name = found?.[2];
    if (!name) return null;
    return { side: found[1] === "1" ? 1 : 0, name, place: found[3] ? Number(found[3]) : null };
  }

  /** The server did not answer at all. */
  get isLost(): boolean {
    return this.status === 0;
  }
}

export const LOST_SERVER = new ApiError(
  0,
  "lost_server",
  "The server does not answer.",
  "Start it with `tdb serve`; this page retries by itself.",
);

/** Read the body of a failed response as `{error, message, hint}`, whatever it is. */
export function errorOf(status: number, body: unknown): ApiError {
  if (typeof body === "object" && body !== null && "message" in body) {
    const { error, message, hint } = body as { error?: unknown; message: unknown; hint?: unknown };
    return new ApiError(status, String(error ?? "error"), String(message), String(hint ?? ""));
  }
  // A proxy in front of a server that is down answers 502 or 504 with a page of its own.
  if (status === 502 || status === 504) return LOST_SERVER;
  return new ApiError(status, "error", `The server answered ${status}.`, "Try again, or see its log.");
}

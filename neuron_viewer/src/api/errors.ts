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

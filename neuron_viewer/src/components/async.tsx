import type { ReactNode } from "react";

import { ErrorNote } from "./error-note";

/** What `<Async>` needs of a TanStack query. */
export type Asynchronous<T> = {
  data: T | undefined;
  error: Error | null;
  refetch: () => unknown;
};

type AsyncProps<T> = {
  query: Asynchronous<T>;
  /** Drawn before the first data; of the height the data will have. */
  loading?: ReactNode;
  /** One sentence and one action, drawn instead of the children where `isEmpty` says so. */
  empty?: ReactNode;
  isEmpty?: (data: T) => boolean;
  children: (data: T) => ReactNode;
};

/** Loading, empty and error with its hint; the loaded state is the child. The last good data stays below an error. */
export function Async<T>({ query, loading, empty, isEmpty, children }: AsyncProps<T>) {
  const { data, error } = query;
  return (
    <>
      {error && (
        <div className="pad">
          <ErrorNote error={error}>
            <button type="button" className="btn small" onClick={() => query.refetch()}>
              Try again
            </button>
          </ErrorNote>
        </div>
      )}
      {data === undefined && !error && (loading ?? <p className="pad note">Loading</p>)}
      {data !== undefined &&
        (isEmpty?.(data) ? <div className="pad mid">{empty}</div> : children(data))}
    </>
  );
}

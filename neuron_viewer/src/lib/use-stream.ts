import { useEffect, useState } from "react";

export type Streamed<T> = { data: T | undefined; error: Error | null; isRunning: boolean; refetch: () => void };

type Held<T> = { key: string; data: T | undefined; error: Error | null; isRunning: boolean };

/**
 * The latest of a stream's values for a request; the stream ends when the request changes or the page is left.
 * `open` must not change while `key` stays.
 */
export function useStream<T>(key: string | null, open: (signal: AbortSignal) => AsyncGenerator<T>): Streamed<T> {
  const [held, setHeld] = useState<Held<T>>({ key: "", data: undefined, error: null, isRunning: false });
  const [attempt, setAttempt] = useState(0);
  useEffect(() => {
    if (key === null) return;
    const stop = new AbortController();
    const read = async () => {
      try {
        for await (const data of open(stop.signal)) {
          if (stop.signal.aborted) return;
          setHeld({ key, data, error: null, isRunning: true });
        }
        setHeld((old) => (old.key === key ? { ...old, isRunning: false } : old));
      } catch (problem) {
        if (stop.signal.aborted) return;
        const error = problem instanceof Error ? problem : new Error(String(problem));
        setHeld((old) => ({ key, data: old.key === key ? old.data : undefined, error, isRunning: false }));
      }
    };
    void read();
    return () => { stop.abort(); };
    // eslint-disable-next-line react-hooks/exhaustive-deps -- `key` says everything that `open` depends on
  }, [key, attempt]);
  const isCurrent = held.key === key;
  return {
    data: isCurrent ? held.data : undefined,
    error: isCurrent ? held.error : null,
    isRunning: key !== null && (!isCurrent || held.isRunning),
    refetch: () => { setAttempt((old) => old + 1); },
  };
}

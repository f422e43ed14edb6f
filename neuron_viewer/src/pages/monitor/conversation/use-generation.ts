import { type RefObject, useEffect, useRef, useState } from "react";

import { streamGenerate } from "@/api/monitor";
import type { GeneratedToken, GenerateRequest } from "@/api/types";

export type Generation = {
  isWriting: boolean;
  /** Tokens of the reply that is being written, or was written last. */
  tokens: readonly GeneratedToken[];
  error: Error | null;
  start: (request: GenerateRequest, onDone: (written: readonly GeneratedToken[]) => void) => void;
  /** Keeps what has come. */
  stop: () => void;
};

/** One reply at a time, streamed; leaving the page ends it. */
export function useGeneration(): Generation {
  const [isWriting, setWriting] = useState(false);
  const [tokens, setTokens] = useState<readonly GeneratedToken[]>([]);
  const [error, setError] = useState<Error | null>(null);
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => { leave(running); }, []);

  async function write(request: GenerateRequest, onDone: (written: readonly GeneratedToken[]) => void) {
    running.current?.abort();
    const stream = new AbortController();
    running.current = stream;
    const found: GeneratedToken[] = [];
    setError(null);
    setTokens([]);
    setWriting(true);
    try {
      for await (const token of streamGenerate(request, stream.signal)) {
        found.push(token);
        setTokens([...found]);
      }
    } catch (problem) {
      if (!stream.signal.aborted) setError(problem instanceof Error ? problem : new Error(String(problem)));
    }
    if (running.current !== stream) return; // another reply has begun
    running.current = null;
    setWriting(false);
    if (found.length > 0) onDone(found);
  }

  return {
    isWriting,
    tokens,
    error,
    start: (request, onDone) => void write(request, onDone),
    stop: () => running.current?.abort(),
  };
}

/** Stops the reply and forgets it: what comes of it no longer matters to anybody. */
function leave(running: RefObject<AbortController | null>) {
  running.current?.abort();
  running.current = null;
}

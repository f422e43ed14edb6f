import { useEffect, useRef, useState } from "react";

const PAUSE = 250;

interface Draft {
  value: string;
  /** What the URL held when this was typed, and what was handed to it before. */
  known: string[];
}

/**
 * What is being typed, handed on after a short pause. A text that comes from elsewhere (Back, say) replaces it. The third
 * part drops what is typed and not yet handed on.
 */
export function useDraft(text: string, onText: (text: string) => void): [string, (draft: string) => void, () => void] {
  const [draft, setDraft] = useState<Draft | null>(null);
  const timer = useRef<number | undefined>(undefined);
  useEffect(
    () => () => {
      window.clearTimeout(timer.current);
    },
    [],
  );
  const isOwn = draft !== null && (text === draft.value || draft.known.includes(text));
  function type(value: string) {
    setDraft({ value, known: isOwn ? [text, draft.value] : [text] });
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      onText(value);
    }, PAUSE);
  }
  function drop() {
    window.clearTimeout(timer.current);
    setDraft(null);
  }
  return [isOwn ? draft.value : text, type, drop];
}

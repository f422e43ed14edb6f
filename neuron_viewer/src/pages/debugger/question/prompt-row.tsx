import { type KeyboardEvent, type ReactNode, useState } from "react";

import type { Token as WireToken } from "@/api/types";
import { Token } from "@/components/token";
import { visibleText } from "@/lib/format";

type PromptRowProps = {
  name: string;
  tokens: WireToken[];
  /** Index of the token after which the prediction is explained. */
  position: number;
  onPosition: (position: number) => void;
  /** Stands after the last token: the candidates' probabilities. */
  children?: ReactNode;
};

/** Past this many tokens the row collapses to its ends. */
const COLLAPSE_PAST = 200;
const ENDS = 60;

/** The prompt as buttons, one a token. Left and Right move the position; one tab stop for the whole row. */
export function PromptRow({ name, tokens, position, onPosition, children }: PromptRowProps) {
  const [all, setAll] = useState(false);
  const collapsed = !all && tokens.length > COLLAPSE_PAST;
  const shown = collapsed ? endsOf(tokens.length, position) : tokens.map((_, index) => index);

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    const next = position + (step ?? 0);
    if (!step || next < 0 || next >= tokens.length) return;
    event.preventDefault();
    event.currentTarget.querySelector<HTMLElement>(`[data-index="${next}"]`)?.focus();
    onPosition(next);
  }

  return (
    <div className="prompt" role="group" aria-label={name} onKeyDown={onKeyDown}>
      {shown.map((index, place) => {
        const token = tokens[index];
        if (!token) return null;
        const gap = index - (shown[place - 1] ?? index - 1) - 1;
        return (
          <span key={index} className="contents">
            {gap > 0 && (
              <button type="button" className="btn small plain" onClick={() => { setAll(true); }}>
                {gap} more, show all
              </button>
            )}
            <button
              type="button"
              className={index === position ? "qt at" : "qt"}
              data-index={index}
              tabIndex={index === position ? 0 : -1}
              aria-pressed={index === position}
              title={`Explain the prediction after ${visibleText(token.text)}`}
              onClick={() => { onPosition(index); }}
            >
              <Token text={token.text} />
              <span className="idx">{index}</span>
            </button>
          </span>
        );
      })}
      {children}
    </div>
  );
}

function endsOf(count: number, position: number): number[] {
  const wanted = new Set([position]);
  for (let i = 0; i < ENDS; i++) wanted.add(i).add(count - 1 - i);
  return [...wanted].sort((a, b) => a - b);
}

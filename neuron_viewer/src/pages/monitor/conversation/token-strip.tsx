import { type KeyboardEvent, type PointerEvent, useRef } from "react";

import { textHeat } from "@/lib/color";
import { visibleParts, visibleText } from "@/lib/format";

import type { Turn } from "./turns";

export type StripActs = {
  onPick: (at: number) => void;
  onRange: (first: number, last: number) => void;
  /** The token under the pointer or focus, with the element to hang a card from. */
  onPoint: (at: number | null, element: HTMLElement | null) => void;
};
type TokenStripProps = {
  turn: Turn;
  /** Influence of each token of the whole text on the one explained; null before it is known. */
  heat: readonly number[] | null;
  maximum: number;
  picked: number | null;
  range: readonly [number, number] | null;
  acts: StripActs;
};

/** A turn's tokens as buttons in running text: hover tells, click explains, drag selects a range. */
export function TokenStrip({ turn, heat, maximum, picked, range, acts }: TokenStripProps) {
  const from = useRef<number | null>(null);
  const first = turn.tokens[0]?.at;
  const isPickedHere = turn.tokens.some(({ at }) => at === picked);
  function drop(event: PointerEvent) {
    const to = tokenAt(event.target);
    if (from.current !== null && to !== null && to !== from.current) {
      acts.onRange(Math.min(from.current, to), Math.max(from.current, to));
    }
    from.current = null;
  }
  return (
    <p
      className="text strip"
      onPointerDown={(event) => { from.current = tokenAt(event.target); }}
      onPointerUp={drop}
      onPointerLeave={() => { acts.onPoint(null, null); }}
      onKeyDown={step}
    >
      {turn.tokens.map(({ at, token }) => {
        const value = heat?.[at];
        return (
          <button
            key={at}
            type="button"
            data-at={at}
            className={look(at, picked, range)}
            style={value === undefined ? undefined : textHeat(value, maximum)}
            aria-pressed={at === picked}
            aria-label={`Token ${at}, ${visibleText(token.text)}`}
            tabIndex={at === picked || (!isPickedHere && at === first) ? 0 : -1}
            onClick={() => { acts.onPick(at); }}
            onPointerEnter={(event) => { acts.onPoint(at, event.currentTarget); }}
            onFocus={(event) => { acts.onPoint(at, event.currentTarget); }}
            onBlur={() => { acts.onPoint(null, null); }}
          >
            {visibleParts(token.text, true).map((part, place) =>
              part.quiet ? <b key={place}>{part.text}</b> : part.text,
            )}
          </button>
        );
      })}
    </p>
  );
}

function look(at: number, picked: number | null, range: readonly [number, number] | null): string | undefined {
  const names = [];
  if (at === picked) names.push("peak");
  if (range && at >= range[0] && at <= range[1]) names.push("ranged");
  return names.join(" ") || undefined;
}

function tokenAt(target: EventTarget): number | null {
  const element = target instanceof Element ? target.closest("[data-at]") : null;
  return element instanceof HTMLElement ? Number(element.dataset.at) : null;
}

/** Left and right walk from token to token, across turns. */
function step(event: KeyboardEvent) {
  const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
  const at = tokenAt(event.target);
  if (by === undefined || at === null) return;
  event.preventDefault();
  const tokens = [...document.querySelectorAll<HTMLElement>(".chat [data-at]")];
  const place = tokens.findIndex((token) => Number(token.dataset.at) === at);
  tokens[place + by]?.focus();
}

import { memo, type CSSProperties } from "react";

import { maxAbs, textHeat } from "@/lib/color";
import { lineOf, shadesOf, type Excerpt, type PairEnd } from "@/lib/excerpt";

import { tokenMarks } from "./token";

export interface ExcerptTextProps {
  excerpt: Excerpt;
  /** The value drawn at full strength. */
  maximum: number;
  /** Which end of a head's pairs the grounds tell of. */
  end?: PairEnd;
  /** A token under the pointer; a head then shows where it attends. */
  pointed?: number | null;
}

const WIDEST = 110;
const LEFT_OUT = "\u2026";

/** An excerpt on one line, in two halves that meet at its peak. */
export const ExcerptLine = memo(function ExcerptLine(props: ExcerptTextProps) {
  const { excerpt } = props;
  const { before, after } = lineOf(excerpt, WIDEST);
  const heat = heatOf(props);
  return (
    <>
      <span className="text before">
        <span>{before.map((token) => drawn(excerpt, token, heat))}</span>
      </span>
      <span className="text after">
        {after.map((token) =>
          token === null ? (
            <span key="gap" className="quiet" title="Tokens left out">
              {LEFT_OUT}
            </span>
          ) : (
            drawn(excerpt, token, heat)
          ),
        )}
      </span>
    </>
  );
});

/** The whole excerpt, wrapped. */
export const ExcerptText = memo(function ExcerptText(props: ExcerptTextProps) {
  const heat = heatOf(props);
  return <p className="text whole">{props.excerpt.tokens.map((_, token) => drawn(props.excerpt, token, heat))}</p>;
});

type Heat = (token: number) => { style: CSSProperties; mark: string | undefined };

function heatOf({ excerpt, maximum, end = "to", pointed = null }: ExcerptTextProps): Heat {
  const isPair = excerpt.from !== null;
  const shades = shadesOf(excerpt, end, pointed);
  const peak = isPair && pointed !== null ? shades.indexOf(maxAbs(shades)) : excerpt.peak;
  const from = isPair ? (pointed ?? excerpt.from) : null;
  return (token) => ({
    style: textHeat(shades[token] ?? 0, maximum, isPair),
    mark: [token === peak && "peak", token === from && "from"].filter(Boolean).join(" ") || undefined,
  });
}

function drawn({ tokens }: Excerpt, token: number, heat: Heat) {
  const { style, mark } = heat(token);
  return (
    <span key={token} data-token={token} className={mark} style={style}>
      {tokenMarks(tokens[token] ?? "", true)}
    </span>
  );
}

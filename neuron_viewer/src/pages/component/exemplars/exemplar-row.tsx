import { memo, type Ref } from "react";

import { ExcerptLine } from "@/components/excerpt-line";
import { formatMagnitude, visibleText } from "@/lib/format";
import { shortSource, type PairEnd } from "@/lib/excerpt";

import { signed } from "../text-readout";
import type { BandLine } from "./bands";
import { OpenExcerpt } from "./open-excerpt";

export interface ExemplarRowProps {
  ref: Ref<HTMLLIElement>;
  component: string;
  line: BandLine;
  index: number;
  /** Lines in the list, drawn or not. */
  count: number;
  /** Pixels below the top of the list. */
  offset: number;
  maximum: number;
  end: PairEnd;
  pointed: number | null;
  isOpen: boolean;
  onToggle: (key: string) => void;
}

/** One exemplar: its value, the text about its peak, where it is from; the whole of it once opened. */
export const ExemplarRow = memo(function ExemplarRow(props: ExemplarRowProps) {
  const { ref, component, line, index, count, offset, isOpen, onToggle, ...drawing } = props;
  const { band, excerpt, place, key } = line;
  const value = excerpt.from === null ? signed(excerpt.value) : formatMagnitude(excerpt.value);
  return (
    <li
      ref={ref}
      data-index={index}
      aria-setsize={count}
      aria-posinset={index + 1}
      className={place === 0 ? "exrow first" : "exrow"}
      style={{ transform: `translateY(${offset}px)` }}
    >
      {place === 0 && <BandTitle line={line} />}
      <div className={isOpen ? "exbody open" : "exbody"}>
        <div
          className="ex"
          onClick={() => {
            onToggle(key);
          }}
        >
          <button
            type="button"
            className="num"
            aria-expanded={isOpen}
            aria-label={`${band.title} ${place + 1}: ${value} at ${visibleText(excerpt.tokens[excerpt.peak] ?? "")}. Whole excerpt`}
          >
            {value}
          </button>
          {!isOpen && <ExcerptLine excerpt={excerpt} {...drawing} />}
          <span className="src" title={excerpt.source}>
            {shortSource(excerpt.source)}
          </span>
        </div>
        {isOpen && <OpenExcerpt component={component} excerpt={excerpt} {...drawing} />}
      </div>
    </li>
  );
});

const TONES: Record<string, string> = { positive: "pos", negative: "neg" };

function BandTitle({ line: { band, excerpt } }: { line: BandLine }) {
  const tone = excerpt.from === null ? TONES[band.group] : undefined;
  return (
    <h3>
      <b className={tone}>{band.title}</b>
      <span>{band.note}</span>
    </h3>
  );
}

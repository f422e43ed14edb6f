import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";

import type { PairEnd } from "@/lib/excerpt";
import { useIdle } from "@/lib/use-idle";
import { usePageTop } from "@/lib/use-page-top";

import type { BandLine } from "./bands";
import { ExemplarRow } from "./exemplar-row";
import { ExemplarReadout, type ReadoutMode } from "./exemplar-readout";
import { useOpenLines } from "./use-open-lines";
import { usePointedToken } from "./use-pointed-token";

export interface ExemplarListProps {
  component: string;
  lines: readonly BandLine[];
  maximum: number;
  end: PairEnd;
  mode: ReadoutMode;
  /** Whether every line shows its whole excerpt. */
  whole: boolean;
}

const LINE = 24;
const GAP = 13;
/** Lines drawn beyond the window's edges: few at first, so that the page opens sooner. */
const SPARE_AT_FIRST = 2;
const SPARE = 12;

/** All lines of the bands shown; only those near the window are drawn. */
export function ExemplarList({ component, lines, maximum, end, mode, whole }: ExemplarListProps) {
  const list = useRef<HTMLOListElement>(null);
  const top = usePageTop(list);
  const open = useOpenLines(whole);
  const { pointed, handlers } = usePointedToken();
  const rows = useWindowVirtualizer({
    count: lines.length,
    estimateSize: (index) => LINE + (index > 0 && lines[index]?.place === 0 ? GAP : 0),
    getItemKey: (index) => lines[index]?.key ?? index,
    overscan: useIdle() ? SPARE : SPARE_AT_FIRST,
    scrollMargin: top,
  });
  return (
    <div className="exlist" {...handlers}>
      <ol ref={list} style={{ height: rows.getTotalSize() }}>
        {rows.getVirtualItems().map(({ index, key, start }) => {
          const line = lines[index];
          return (
            line && (
              <ExemplarRow
                key={key}
                ref={rows.measureElement}
                index={index}
                count={lines.length}
                offset={start - top}
                line={line}
                component={component}
                maximum={maximum}
                end={end}
                pointed={pointed?.line === index ? pointed.token : null}
                isOpen={open.has(line.key)}
                onToggle={open.toggle}
              />
            )
          );
        })}
      </ol>
      {pointed && <ExemplarReadout component={component} pointed={pointed} line={lines[pointed.line]} mode={mode} />}
    </div>
  );
}

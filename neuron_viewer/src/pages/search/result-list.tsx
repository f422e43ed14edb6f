import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useRef } from "react";
import { useLocation } from "react-router";

import type { ModelResponse } from "@/api/types";
import { debuggerSearch } from "@/lib/debugger-link";
import { exampleQuestion } from "@/lib/question";
import { usePageTop } from "@/lib/use-page-top";

import type { Row } from "./merge-hits";
import { ResultRow } from "./result-row";
import type { Mode } from "./search-state";

export interface ResultListProps {
  hits: readonly Row[];
  mode: Mode;
  model: Pick<ModelResponse, "examples" | "coders">;
}

const ROW = 44;
const SPARE = 12;

/** All results; only those near the window are drawn. */
export function ResultList({ hits, mode, model }: ResultListProps) {
  const list = useRef<HTMLOListElement>(null);
  const top = usePageTop(list);
  const { search } = useLocation();
  const example = model.examples[0];
  const fallback = example ? exampleQuestion(example) : null;
  const rows = useWindowVirtualizer({
    count: hits.length,
    estimateSize: () => ROW,
    overscan: SPARE,
    scrollMargin: top,
  });
  return (
    <ol ref={list} className="results" style={{ height: rows.getTotalSize() }}>
      {rows.getVirtualItems().map(({ index, start }) => {
        const hit = hits[index];
        return (
          hit && (
            <ResultRow
              key={index}
              ref={rows.measureElement}
              hit={hit}
              mode={mode}
              index={index}
              count={hits.length}
              offset={start - top}
              editSearch={debuggerSearch(search, hit.component, "ablate", model, fallback)}
              carried={search}
            />
          )
        );
      })}
    </ol>
  );
}

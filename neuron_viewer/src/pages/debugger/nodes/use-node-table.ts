import { useCallback, useMemo, useState } from "react";

import type { Sort } from "@/lib/url-state";

import type { DebugUiState, DebugView } from "../view";
import { tableScale } from "./bar-scale";
import { columnGroups, DEFAULT_CHOICES, PHONE_CHOICES, type Choice, type Layout } from "./column-plan";
import { flagIn } from "./disagreement";
import { filterRows } from "./filtering";
import type { Measured } from "./metrics";
import { movedRows, sortKey, sortRows } from "./sorting";
import { tableRows, type TableRow } from "./table-rows";
import { useIsPhone } from "./use-is-phone";
import { useMeasured } from "./use-measured";

export type NodeTable = ReturnType<typeof useNodeTable>;

/** Everything the panel shows, derived from the response, the URL and the effects measured so far. */
export function useNodeTable(view: DebugView, ui: DebugUiState, requestSort: (sort: Sort) => void) {
  const { response } = view;
  const { filters, sort } = ui;
  const isComparison = response.cases.length > 1;
  const [wanted, setLayout] = useState<Layout>("diff");
  const [choices, setChoices] = useState(DEFAULT_CHOICES);
  const [wantsLabels, setWantsLabels] = useState(true);
  const layout: Layout = isComparison ? wanted : "values";
  const isPhone = useIsPhone();
  const chosen = isPhone ? PHONE_CHOICES[layout] : choices[layout];
  const isMeasuring = chosen.includes("measured_effect");

  const left = useMeasured(view, 0, isMeasuring);
  const right = useMeasured(view, 1, isMeasuring && layout === "diff");
  const measured: Measured = useMemo(
    () => [left.snapshot.effects, right.snapshot.effects],
    [left.snapshot.effects, right.snapshot.effects],
  );

  // Values that arrive later move no row: the order is of what was known when it was asked for.
  const [known, setKnown] = useState({ response, measured });
  if (known.response !== response) setKnown({ response, measured });
  const [leftStore, rightStore] = [left.store, right.store];
  const arrangeAgain = useCallback(() => {
    const now = [leftStore, rightStore].map((store) => store.getSnapshot().effects);
    setKnown({ response, measured: now });
  }, [response, leftStore, rightStore]);
  const nothingKnown = known.measured.every((effects) => effects.size === 0);
  const basis = filters.flaggedOnly && nothingKnown ? measured : known.measured;

  const rows = useMemo(() => tableRows(response), [response]);
  const [allMeasuredOf, setAllMeasuredOf] = useState<typeof response | null>(null);
  const arrange = useMemo(() => {
    const compare = layout === "diff";
    return (effects: Measured): TableRow[] => {
      const isFlagged = (row: TableRow) => flagIn(row, 0, effects) !== null;
      return sortRows(filterRows(rows, filters, isFlagged), sort, { compare, measured: effects });
    };
  }, [rows, filters, sort, layout]);
  const shown = useMemo(() => arrange(basis), [arrange, basis]);
  const { column } = sortKey(sort.column);
  const followsMeasured = filters.flaggedOnly || column === "measured_effect" || column === "flag";
  const moved = useMemo(
    () => (followsMeasured ? movedRows(shown, arrange(measured)) : 0),
    [followsMeasured, shown, arrange, measured],
  );

  return {
    rows,
    shown,
    moved,
    layout,
    setLayout,
    isComparison,
    isPhone,
    chosen,
    choose: (next: readonly Choice[]) => setChoices({ ...choices, [layout]: next }),
    isMeasuring,
    /** Whether rows carry their explanation below them; on a phone it is in the open row. */
    showsLabels: wantsLabels && !isPhone,
    showLabels: setWantsLabels,
    left,
    right,
    measured,
    groups: useMemo(() => columnGroups(layout, chosen, rows), [layout, chosen, rows]),
    scale: useMemo(() => tableScale(rows, layout === "diff", measured), [rows, layout, measured]),
    measuresAll: allMeasuredOf === response,
    measureAll: () => setAllMeasuredOf(response),
    arrangeAgain,
    sortBy: (next: Sort) => {
      arrangeAgain();
      requestSort(next);
    },
  };
}

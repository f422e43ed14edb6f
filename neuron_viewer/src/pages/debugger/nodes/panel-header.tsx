import { useMemo, useState, type Ref } from "react";

import { formatCount } from "@/lib/format";

import type { PanelProps } from "../view";
import { ColumnsMenu } from "./columns-menu";
import { ExportMenu } from "./export-menu";
import { KindFilter } from "./kind-filter";
import { LayoutSwitch } from "./layout-switch";
import { measureProgress, type MeasureProgress } from "./measure-progress";
import { MeasureStatus } from "./measure-status";
import { RangeFilter } from "./range-filter";
import { TextFilter } from "./text-filter";
import { TopK } from "./top-k";
import { LEADING_ROWS } from "./use-measure-plan";
import type { NodeTable } from "./use-node-table";

type PanelHeaderProps = PanelProps & {
  model: NodeTable;
  /** Whether there are explanations to show. */
  hasLabels: boolean;
  filterRef: Ref<HTMLInputElement>;
};

export function PanelHeader({ view, ui, actions, model, hasLabels, filterRef }: PanelHeaderProps) {
  const { rows, shown, measured, isComparison, isMeasuring } = model;
  const { filters } = ui;
  const traced = view.request.cases[0]?.trace;
  const [isUnfolded, setUnfolded] = useState(false);
  const progress = useMemo(() => measureProgress(rows, 0, measured), [rows, measured]);
  const nTokens = Math.max(...view.response.cases.map(({ tokens }) => tokens.length));
  return (
    <header className={isUnfolded ? "unfolded" : undefined}>
      <h2>Nodes</h2>
      <span className="note">
        {countText(rows.length, shown.length)}
        {isComparison && model.layout === "values" && ", left case"}
        {traced && `, effects on ${traced.node}`}
      </span>
      <KindFilter rows={rows} kind={filters.kind} onChange={(kind) => actions.setFilters({ kind })} />
      <button
        type="button"
        className="btn small plain unfold"
        aria-expanded={isUnfolded}
        onClick={() => setUnfolded(!isUnfolded)}
      >
        More
      </button>
      <RangeFilter
        filters={filters}
        nLayers={view.model.n_layers}
        nTokens={nTokens}
        onChange={actions.setFilters}
      >
        <TopK className="in-popover" k={view.request.top_k} onChange={actions.setTopK} />
      </RangeFilter>
      <TextFilter ref={filterRef} text={filters.text} onChange={(text) => actions.setFilters({ text })} />
      {!isComparison && <TopK className="hide-s hide-m" k={view.request.top_k} onChange={actions.setTopK} />}
      <span className="end">
        {isComparison && <LayoutSwitch layout={model.layout} onChange={model.setLayout} />}
        {isMeasuring && (
          <MeasureStatus
            progress={progress}
            moved={model.moved}
            onArrange={model.arrangeAgain}
            onMeasureAll={isCut(progress, model) ? model.measureAll : null}
            flaggedOnly={filters.flaggedOnly}
            onFlaggedOnly={(flaggedOnly) => {
              model.arrangeAgain();
              actions.setFilters({ flaggedOnly });
            }}
          />
        )}
        {hasLabels && (
          <button
            type="button"
            className="btn small plain hide-s"
            aria-pressed={model.showsLabels}
            title="What each component responds to, below its row"
            onClick={() => model.showLabels(!model.showsLabels)}
          >
            Explanations
          </button>
        )}
        {isComparison && <ColumnsMenu chosen={model.chosen} onChange={model.choose} />}
        <ExportMenu model={model} nCases={view.response.cases.length} />
      </span>
    </header>
  );
}

/** A long table is measured to the end only when asked for. */
function isCut({ done, total }: MeasureProgress, { left, measuresAll }: NodeTable): boolean {
  return !measuresAll && !left.snapshot.isRunning && done < total && done >= LEADING_ROWS;
}

function countText(all: number, shown: number): string {
  if (shown !== all) return `${formatCount(shown)} of ${formatCount(all)}`;
  return `${formatCount(all)} ${all === 1 ? "row" : "rows"}`;
}

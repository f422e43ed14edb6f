import { useMemo, useRef } from "react";

import { ErrorNote } from "@/components/error-note";

import type { PanelProps } from "../view";
import { EmptyTable } from "./empty-table";
import { NodeTable } from "./node-table";
import "./nodes.css";
import { PanelHeader } from "./panel-header";
import { TableContext, type TableContextValue } from "./table-context";
import { useLabels } from "./use-labels";
import { useNodeTable } from "./use-node-table";
import { useNodeTokensLoader } from "./use-node-tokens";
import { useRowKeys } from "./use-row-keys";
import { useRowState } from "./use-row-state";

/** The components at work, token by token: what each does, what it is estimated and what it is measured to matter. */
export function NodePanel({ view, ui, actions }: PanelProps) {
  const filter = useRef<HTMLInputElement>(null);
  const model = useNodeTable(view, ui, actions.setSort);
  const state = useRowState(ui.selected, actions.select);
  useRowKeys({ view, actions, shown: model.shown, state, filter });

  const { scale, arrangeAgain } = model;
  const { flaggedOnly } = ui.filters;
  const left = useNodeTokensLoader(view.request, 0);
  const right = useNodeTokensLoader(view.request, 1);
  const labels = useLabels(model.rows, view.request);
  const context: TableContextValue = useMemo(
    () => ({
      view,
      actions,
      scale,
      loaders: [left, right],
      labels,
      unit: view.response.cases[0]?.objective.unit ?? "",
      showFlagged: flaggedOnly
        ? null
        : () => {
            arrangeAgain();
            actions.setFilters({ flaggedOnly: true });
          },
    }),
    [view, actions, scale, left, right, labels, flaggedOnly, arrangeAgain],
  );
  const failed = [model.left, model.right].find(({ snapshot }) => snapshot.error);
  return (
    <section className="panel nodes" aria-label="Nodes">
      <PanelHeader view={view} ui={ui} actions={actions} model={model} hasLabels={Object.keys(labels).length > 0} filterRef={filter} />
      {failed?.snapshot.error && (
        <div className="pad measure-error">
          <ErrorNote error={failed.snapshot.error}>
            <button type="button" className="btn small" onClick={failed.store.retry}>
              Go on measuring
            </button>
          </ErrorNote>
        </div>
      )}
      <TableContext value={context}>
        {model.shown.length > 0 ? (
          <NodeTable model={model} rowState={state} sort={ui.sort} labels={model.showsLabels ? labels : null} />
        ) : (
          <EmptyTable ui={ui} actions={actions} />
        )}
      </TableContext>
    </section>
  );
}

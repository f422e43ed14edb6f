import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";

import { lensQuery } from "@/api/queries";
import { ErrorNote } from "@/components/error-note";
import { HeatGrid } from "@/components/heat-grid/heat-grid";
import { HeatLegend } from "@/components/heat-grid/heat-legend";
import { HeatTable } from "@/components/heat-grid/heat-table";
import { TableSwitch } from "@/components/heat-grid/table-switch";
import { isCell, strongestCell, valueAt, type HeatCell, type HeatRange } from "@/components/heat-grid/model";
import { basesOf } from "@/lib/bases";
import { formatEffect, formatMagnitude, visibleText } from "@/lib/format";

import type { PanelProps } from "../view";
import { columnIndex } from "./alignment";
import { cellOfNode } from "./cell-nodes";
import { effectMap, type EffectMap, type Part } from "./effect-map";
import { lensCaption, lensRequest } from "./lens";
import { LensColumn } from "./lens-column";
import { filterOfRange, isSameFilter, NO_MAP_FILTER, rangeOfFilter } from "./map-filter";
import { MapHeader } from "./map-header";
import { MapReadout } from "./map-readout";

/** Total effect by layer and token, the strips above it and the logit lens beside it. */
export function EffectMapPanel({ view, ui, actions }: PanelProps) {
  const { cases, nodes } = view.response;
  const [part, setPart] = useState<Part>("both");
  const [asTable, setAsTable] = useState(false);
  const [lensCase, setLensCase] = useState<0 | 1>(1);
  const [pointed, setPointed] = useState<HeatCell | null>(null);
  const map = useMemo(() => effectMap(cases, part), [cases, part]);
  const isCompared = cases.length > 1;
  const unit = cases[0]?.objective.unit ?? "";
  const lensIndex = isCompared ? lensCase : 0;
  const request = lensRequest(view.request.cases, lensIndex);
  const lens = useQuery({
    ...lensQuery({ ...request, ...basesOf(view.request) }),
    enabled: !view.stale && request.case.target_tokens.length > 0,
    placeholderData: keepPreviousData,
  });

  const selected = cellOfNode(ui.selected, nodes, map);
  const filtered = rangeOfFilter(map, ui.filters);
  const { row, column } = selected ?? { row: -1, column: -1 };
  const model = useMemo(
    () => (row < 0 ? map.model : { ...map.model, home: { row, column } }),
    [map.model, row, column],
  );
  const shown = (pointed && isCell(map.model, pointed) ? pointed : selected) ?? strongestCell(map.model);
  function filter(range: HeatRange) {
    const next = filterOfRange(map, range, part);
    actions.setFilters(isSameFilter(next, ui.filters) ? NO_MAP_FILTER : next);
  }
  function pointAtLayer(layerRow: number | null) {
    const at = map.model.columns.findIndex((one) => one.strong === true);
    setPointed(layerRow === null || at < 0 ? null : { row: layerRow, column: at });
  }

  return (
    <section className="panel themap" aria-labelledby="effect-map-title">
      <MapHeader isCompared={isCompared} part={part} onPart={setPart} />
      <div className="pad">
        {asTable ? (
          <HeatTable model={map.model} format={formatEffect} />
        ) : (
          <div className="map-and-lens">
            <HeatGrid
              model={model}
              marks={[
                ...(filtered ? [{ key: "filter", range: filtered }] : []),
                ...(selected ? [{ key: "selected", range: { from: selected, to: selected } }] : []),
              ]}
              describe={(cell) => describe(map, cell)}
              pointed={pointed}
              onPoint={setPointed}
              onPick={filter}
            />
            {!lens.error && request.case.target_tokens.length > 0 && (
              <LensColumn
                lens={lens.data}
                model={map.model}
                rows={map.rows}
                side={isCompared ? lensCase : null}
                onSide={setLensCase}
                caption={lensCaption(request.case)}
                onPoint={pointAtLayer}
              />
            )}
          </div>
        )}
        <div className="mapfoot rail-foot">
          <span className="legends">
            <HeatLegend
              maximum={map.model.maximum}
              unit={isCompared ? `${unit}, left \u2212 right` : unit}
              signed
            />
            <span className="note">
              strips {"\u00b1"}
              {formatMagnitude(map.stripMaximum)}
            </span>
          </span>
          <TableSwitch asTable={asTable} onChange={setAsTable} />
        </div>
        {shown && (
          <MapReadout
            map={map}
            cell={shown}
            nodes={nodes}
            part={part}
            lens={lens.data}
            onSelect={actions.select}
          />
        )}
        {lens.error && (
          <ErrorNote error={lens.error}>
            <button type="button" className="btn small" onClick={() => void lens.refetch()}>
              Try the lens again
            </button>
          </ErrorNote>
        )}
      </div>
    </section>
  );
}

function describe({ model, columns }: EffectMap, cell: HeatCell): string {
  const column = columns[cell.column];
  if (!column) return "";
  const where = `${model.rows[cell.row]?.name ?? ""} at ${visibleText(column.token.text)} ${columnIndex(column)}`;
  return `${where}: ${formatEffect(valueAt(model, cell))}`;
}

import { describe, expect, it } from "vitest";

import {
  cellAt,
  heatLayout,
  labelledColumns,
  moved,
  rangeBox,
  strongestCell,
  strongestCells,
  visibleColumns,
  visibleRows,
  type HeatModel,
} from "@/components/heat-grid/model";
import { nearest } from "@/components/heat-grid/use-reveal";

function modelOf(rows: (number | null)[][], gap = 0): HeatModel {
  const n = rows[0]?.length ?? 0;
  return {
    label: "test",
    columns: Array.from({ length: n }, (_, index) => ({ key: String(index), token: `t${index}`, index })),
    rows: rows.map((values, index) => ({
      key: String(index),
      name: `row ${index}`,
      label: String(index),
      height: 10,
      gap: index === 1 ? gap : 0,
      values,
    })),
    maximum: 1,
    signed: true,
  };
}

const triangle = modelOf([
  [1, null, null],
  [0.5, -2, null],
  [0.1, 0.2, 0.3],
]);

describe("heatLayout", () => {
  it("fits up to 48 columns and scrolls beyond", () => {
    expect(heatLayout(modelOf([Array<number>(48).fill(0)]), 240).width).toBeCloseTo(240);
    const wide = heatLayout(modelOf([Array<number>(256).fill(0)]), 240);
    expect(wide.columnWidth).toBe(12);
    expect(wide.width).toBe(256 * 12);
  });

  it("does not stretch a few columns over everything", () => {
    expect(heatLayout(triangle, 3000).columnWidth).toBeLessThan(50);
  });
});

describe("cellAt", () => {
  const gapped = modelOf([[1], [2]], 5);
  const layout = heatLayout(gapped, 20);
  it("finds the row beyond a gap, and nothing in it", () => {
    expect(cellAt(gapped, layout, 3, 9)).toEqual({ row: 0, column: 0 });
    expect(cellAt(gapped, layout, 3, 12)).toBeNull();
    expect(cellAt(gapped, layout, 3, 15)).toEqual({ row: 1, column: 0 });
  });

  it("finds nothing outside, or where no cell is", () => {
    expect(cellAt(gapped, layout, -1, 3)).toBeNull();
    expect(cellAt(gapped, layout, 3, 999)).toBeNull();
    expect(cellAt(triangle, heatLayout(triangle, 30), 25, 5)).toBeNull();
  });
});

describe("keyboard", () => {
  it("steps over what is no cell, and stays at the edge", () => {
    expect(moved(triangle, { row: 1, column: 1 }, 0, -1)).toEqual({ row: 1, column: 0 });
    expect(moved(triangle, { row: 1, column: 1 }, 0, 1)).toEqual({ row: 1, column: 1 });
    expect(moved(triangle, { row: 2, column: 2 }, -1, 0)).toEqual({ row: 2, column: 2 });
  });

  it("starts at the strongest cell, whatever its sign", () => {
    expect(strongestCell(triangle)).toEqual({ row: 1, column: 1 });
    expect(strongestCells(triangle, 2)).toEqual([
      { row: 1, column: 1 },
      { row: 0, column: 0 },
    ]);
    expect(strongestCell(modelOf([[null]]))).toBeNull();
  });
});

describe("what is in view", () => {
  const layout = heatLayout(modelOf([Array<number>(256).fill(0)]), 240);
  it("is a window with one to spare", () => {
    expect(visibleColumns(layout, 120, 240, 256)).toEqual({ first: 9, last: 31 });
    expect(visibleColumns(layout, 0, 240, 5)).toEqual({ first: 0, last: 4 });
    expect(visibleRows(triangle, heatLayout(triangle, 30), 15, 8)).toEqual({ first: 1, last: 2 });
  });

  it("labels columns that have room, and the explained one always", () => {
    const narrow = modelOf([Array<number>(48).fill(0)]);
    const columns = narrow.columns.map((column) => ({ ...column, strong: column.index === 47 }));
    const labelled = labelledColumns(heatLayout(narrow, 240), { ...narrow, columns });
    expect([0, 1, 2, 3, 45, 46, 47].filter(labelled)).toEqual([0, 3, 47]);
  });
});

it("draws a range around all its cells, whichever corner came first", () => {
  const box = rangeBox(triangle, heatLayout(triangle, 30), {
    from: { row: 2, column: 1 },
    to: { row: 1, column: 0 },
  });
  expect(box).toEqual({ left: 0, top: 10, width: 20, height: 20 });
});

it("scrolls as little as brings a cell into view", () => {
  expect(nearest(0, 10, 10, 100)).toBe(0);
  expect(nearest(0, 200, 10, 100)).toBe(130);
  expect(nearest(300, 200, 10, 100)).toBe(180);
});

import { flexRender, type Header, type HeaderGroup } from "@tanstack/react-table";

import { define } from "@/lib/define";
import type { Sort } from "@/lib/url-state";

import { isSortedBy, type Column, type ColumnGroup } from "./column-plan";
import { nextSort, sortKey } from "./sorting";
import type { TableRow } from "./table-rows";

declare module "@tanstack/react-table" {
  // The names of the type parameters must be those of the library's own declaration.
  // eslint-disable-next-line @typescript-eslint/no-unused-vars
  interface ColumnMeta<TData, TValue> {
    column?: Column;
    group?: ColumnGroup;
  }
}

type TableHeadProps = {
  /** Two levels where two cases are compared: the metrics, then Left, Diff, Right. */
  groups: HeaderGroup<TableRow>[];
  sort: Sort;
  onSort: (sort: Sort) => void;
};

export function TableHead({ groups, sort, onSort }: TableHeadProps) {
  const [names, leaves] = groups;
  const isTwoLevel = names?.headers.some(({ column }) => column.columnDef.meta?.group?.label) ?? false;
  if (!names || !leaves) return null;
  if (!isTwoLevel) {
    return (
      <thead>
        <tr>
          {leaves.headers.map((header) => (
            <ColumnHead key={header.id} header={header} sort={sort} onSort={onSort} />
          ))}
        </tr>
      </thead>
    );
  }
  const inGroup = leaves.headers.filter(({ column }) => column.parent?.columnDef.meta?.group?.label);
  return (
    <thead>
      <tr className="g">
        {names.headers.map((header) => {
          const group = header.column.columnDef.meta?.group;
          const leaf = header.subHeaders[0];
          if (group?.label && group.metric) {
            return (
              <th
                key={header.id}
                scope="colgroup"
                colSpan={header.colSpan}
                className={group.columns[0]?.className}
                {...define(group.metric)}
              >
                {group.label} {group.metric === "total_effect" && <span className="unit">estimate</span>}
              </th>
            );
          }
          return leaf && <ColumnHead key={header.id} header={leaf} sort={sort} onSort={onSort} rowSpan={2} />;
        })}
      </tr>
      <tr className="h">
        {inGroup.map((header) => (
          <ColumnHead key={header.id} header={header} sort={sort} onSort={onSort} />
        ))}
      </tr>
    </thead>
  );
}

type ColumnHeadProps = { header: Header<TableRow, unknown>; rowSpan?: number } & Pick<
  TableHeadProps,
  "sort" | "onSort"
>;

function ColumnHead({ header, sort, onSort, rowSpan }: ColumnHeadProps) {
  const column = header.column.columnDef.meta?.column;
  if (!column) return null;
  const isSorted = isSortedBy(column, sort.column);
  const direction = sort.descending ? "descending" : "ascending";
  return (
    <th
      scope="col"
      rowSpan={rowSpan}
      className={column.className}
      aria-sort={isSorted ? direction : undefined}
      {...(column.metric && !column.side && define(column.metric))}
    >
      {column.kind === "promotes" ? (
        flexRender(header.column.columnDef.header, header.getContext())
      ) : (
        <button
          type="button"
          className="sort"
          title={sortTitle(column, sort)}
          onClick={() => onSort(nextSort(sort, column.id))}
        >
          <span className={column.kind === "flag" ? "sr" : undefined}>{column.label}</span>
          {column.metric === "total_effect" && !column.side && " "}
          {column.metric === "total_effect" && !column.side && <span className="unit">estimate</span>}
          {isSorted && <span aria-hidden="true">{arrow(sort)}</span>}
        </button>
      )}
    </th>
  );
}

function arrow({ column, descending }: Sort): string {
  if (!sortKey(column).signed) return descending ? "\u2193" : "\u2191";
  return descending ? "+\u2193" : "\u2212\u2193";
}

const ORDER_NAMES: Record<string, string> = {
  "size true": "largest first, either sign",
  "signed true": "most positive first",
  "signed false": "most negative first",
};

/** What a click will do, in words. */
function sortTitle(column: Column, sort: Sort): string {
  const next = nextSort(sort, column.id);
  if (column.kind === "flag") return "Sort by how far estimate and measurement are apart";
  if (column.kind !== "value") return next.descending ? "Sort from last to first" : "Sort from first to last";
  const name = ORDER_NAMES[`${sortKey(next.column).signed ? "signed" : "size"} ${next.descending}`];
  return `Sort: ${name ?? "smallest first"}`;
}

import type { Column } from "./column-plan";
import { FlagCell } from "./flag-cell";
import { PromotesCell } from "./promotes-cell";
import { RowTokens } from "./node-cell";
import type { TableRow } from "./table-rows";
import { ValueCell } from "./value-cell";

/** Any cell but the first, which the row itself draws. */
export function Cell({ column, row }: { column: Column; row: TableRow }) {
  switch (column.kind) {
    case "node":
      return null;
    case "token":
      return <RowTokens row={row} />;
    case "value":
      return column.metric && <ValueCell row={row} metric={column.metric} side={column.side} />;
    case "flag":
      return <FlagCell row={row} />;
    case "promotes":
      return <PromotesCell row={row} />;
  }
}

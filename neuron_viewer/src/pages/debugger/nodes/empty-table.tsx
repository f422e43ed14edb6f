import { NO_FILTERS } from "@/lib/url-state";

import type { PanelProps } from "../view";
import { isFiltered } from "./filtering";

type EmptyTableProps = Pick<PanelProps, "ui" | "actions">;

/** One sentence and one action. */
export function EmptyTable({ ui, actions }: EmptyTableProps) {
  if (!isFiltered(ui.filters)) {
    return <p className="pad mid">No node is upstream of what is being explained.</p>;
  }
  return (
    <div className="pad warnrow">
      <span className="mid">No row matches the filter.</span>
      <button type="button" className="btn small" onClick={() => actions.setFilters(NO_FILTERS)}>
        Clear the filter
      </button>
    </div>
  );
}

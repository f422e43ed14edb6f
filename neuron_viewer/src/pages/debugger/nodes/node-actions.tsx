import type { Where } from "./row-actions";
import { rowActs } from "./row-acts";
import { useTable } from "./table-context";
import type { TableRow } from "./table-rows";
import { TraceButtons } from "./trace-buttons";
import { WhereChoice } from "./where-choice";

type NodeActionsProps = {
  row: TableRow;
  isScaling: boolean;
  onScaling: (on: boolean) => void;
  where: Where;
  onWhere: (where: Where) => void;
};

export function NodeActions({ row, isScaling, onScaling, where, onWhere }: NodeActionsProps) {
  const { view, actions } = useTable();
  const acts = rowActs(view, actions);
  const offered = acts.offered(row);
  return (
    <div className="acts">
      {offered.ablate && <Act name="Ablate" shortcut="a" onClick={() => acts.ablate(row, where)} />}
      {offered.patch && <Act name="Patch" shortcut="p" onClick={() => acts.patch(row, where)} />}
      {offered.scale && <Act name="Scale" shortcut="s" onClick={() => onScaling(!isScaling)} />}
      {offered.ablate && offered.here && <WhereChoice row={row} where={where} onChange={onWhere} />}
      <TraceButtons trace={offered.trace} onTrace={(through) => acts.trace(row, through)} />
      {row.row.kind !== "bias" && row.row.kind !== "error" && (
        <button
          type="button"
          className="btn small open"
          onClick={() => actions.openComponent(row.row.component)}
        >
          Open component <kbd>o</kbd>
        </button>
      )}
    </div>
  );
}

function Act({ name, shortcut, onClick }: { name: string; shortcut: string; onClick: () => void }) {
  return (
    <button
      type="button"
      className="btn small"
      title={`${name} (${shortcut})`}
      aria-keyshortcuts={shortcut}
      onClick={onClick}
    >
      {name}
    </button>
  );
}

export interface TableSwitchProps {
  asTable: boolean;
  onChange: (asTable: boolean) => void;
}

/** Shows the numbers of a grid as a table, or the grid again. */
export function TableSwitch({ asTable, onChange }: TableSwitchProps) {
  return (
    <button
      type="button"
      className="btn small plain"
      onClick={() => {
        onChange(!asTable);
      }}
    >
      {asTable ? "Show as map" : "Show as table"}
    </button>
  );
}

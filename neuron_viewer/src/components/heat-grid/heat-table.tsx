import { Token } from "../token";
import { strongestCells, valueAt, type HeatModel } from "./model";

const WHOLE = 6000;
const LISTED = 300;

export interface HeatTableProps {
  model: HeatModel;
  format: (value: number) => string;
}

/** The same numbers as a table; a grid too large for one lists its strongest cells. */
export function HeatTable({ model, format }: HeatTableProps) {
  const isWhole = model.rows.length * model.columns.length <= WHOLE;
  return (
    <div className="scroll hg-table" tabIndex={0} role="region" aria-label={`${model.label}, as a table`}>
      <table className="table">
        {isWhole ? <WholeGrid {...{ model, format }} /> : <Strongest {...{ model, format }} />}
      </table>
    </div>
  );
}

function WholeGrid({ model, format }: HeatTableProps) {
  return (
    <>
      <thead>
        <tr>
          <td />
          {model.columns.map((column) => (
            <th key={column.key} scope="col" className="num">
              <Token text={column.token} index={column.index} />
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {model.rows.map((row) => (
          <tr key={row.key}>
            <th scope="row">{row.isToken === true ? <Token text={row.label} /> : row.name}</th>
            {row.values.map((value, column) => (
              <td key={column} className="num">
                {value === null ? "" : format(value)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </>
  );
}

function Strongest({ model, format }: HeatTableProps) {
  return (
    <>
      <caption className="note">The {LISTED} strongest cells</caption>
      <thead>
        <tr>
          <th scope="col">Row</th>
          <th scope="col">Token</th>
          <th scope="col" className="num">
            Value
          </th>
        </tr>
      </thead>
      <tbody>
        {strongestCells(model, LISTED).map((cell) => {
          const row = model.rows[cell.row];
          const column = model.columns[cell.column];
          if (!row || !column) return null;
          return (
            <tr key={`${cell.row}:${cell.column}`}>
              <th scope="row">
                {row.isToken === true ? <Token text={row.label} index={cell.row} /> : row.name}
              </th>
              <td>
                <Token text={column.token} index={column.index} />
              </td>
              <td className="num">{format(valueAt(model, cell) ?? 0)}</td>
            </tr>
          );
        })}
      </tbody>
    </>
  );
}

import type { Where } from "./row-actions";
import type { TableRow } from "./table-rows";

type WhereChoiceProps = { row: TableRow; where: Where; onChange: (where: Where) => void };

/** At every position of the prompt, or only at the row's own token or pair. */
export function WhereChoice({ row, where, onChange }: WhereChoiceProps) {
  const { token, keyToken } = row;
  if (!token) return null;
  const place = keyToken ? `${token.position} \u2192 ${keyToken.position} only` : `${token.position} only`;
  const choices: [Where, string][] = [
    ["everywhere", "every position"],
    ["here", place],
  ];
  return (
    <>
      <span className="label">at</span>
      <span className="seg" role="group" aria-label="Where the edit acts">
        {choices.map(([value, label]) => (
          <button key={value} type="button" aria-pressed={where === value} onClick={() => onChange(value)}>
            {label}
          </button>
        ))}
      </span>
    </>
  );
}

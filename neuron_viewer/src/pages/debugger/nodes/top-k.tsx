import { useState } from "react";

type TopKProps = { k: number; className: string; onChange: (k: number) => void };

const MOST = 1000;

/** How many rows each metric puts in the table, of each kind and at either end. Asks again when it changes. */
export function TopK({ k, className, onChange }: TopKProps) {
  const [draft, setDraft] = useState({ text: String(k), of: k });
  if (draft.of !== k) setDraft({ text: String(k), of: k });
  function commit() {
    const wanted = Math.round(Number(draft.text));
    const next = Number.isFinite(wanted) ? Math.min(MOST, Math.max(1, wanted)) : k;
    setDraft({ text: String(next), of: k });
    if (next !== k) onChange(next);
  }
  return (
    <label
      className={`field top-k ${className}`}
      title="Rows per kind and metric, strongest at either end (1 to 1000)"
    >
      Top k
      <input
        inputMode="numeric"
        value={draft.text}
        onChange={(event) => setDraft({ ...draft, text: event.target.value })}
        onBlur={commit}
        onKeyDown={(event) => {
          if (event.key === "Enter") commit();
        }}
      />
    </label>
  );
}

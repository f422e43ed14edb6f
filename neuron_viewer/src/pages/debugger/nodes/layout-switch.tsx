import type { Layout } from "./column-plan";

const LAYOUTS: [Layout, string][] = [
  ["values", "Values"],
  ["diff", "Left \u00b7 Diff \u00b7 Right"],
];

/** One column for each metric of the left case, or three that compare. */
export function LayoutSwitch({ layout, onChange }: { layout: Layout; onChange: (layout: Layout) => void }) {
  return (
    <span className="seg" role="group" aria-label="Columns of each metric">
      {LAYOUTS.map(([name, label]) => (
        <button key={name} type="button" aria-pressed={layout === name} onClick={() => onChange(name)}>
          {label}
        </button>
      ))}
    </span>
  );
}

import type { PanelProps } from "../view";

export function NodePanel({ view }: PanelProps) {
  return (
    <section className="panel nodes" aria-label="Nodes">
      <header>
        <h2>Nodes</h2>
        <span className="note">{view.response.nodes.length} rows</span>
      </header>
    </section>
  );
}

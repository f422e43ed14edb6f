import type { PanelProps } from "../view";

export function Rail({ view }: PanelProps) {
  return (
    <div className="right">
      <section className="panel" aria-label="Next token">
        <header>
          <h2>Next token</h2>
          <span className="note">{view.response.cases[0]?.next_tokens.length ?? 0} listed</span>
        </header>
      </section>
    </div>
  );
}

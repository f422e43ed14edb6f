/** The page before there is anything to show: its panels with their headers, at the height they will have. */
export function FirstLoad() {
  return (
    <>
      <section className="question" aria-label="Question" aria-busy="true">
        <div className="prompt waiting" />
        <div className="controls">
          <span className="note">Loading the model</span>
        </div>
      </section>
      <section className="answer" aria-label="Answer" aria-busy="true">
        <div className="parts waiting" />
      </section>
      <WaitingPanels />
    </>
  );
}

export function WaitingPanels() {
  return (
    <div className="work" aria-busy="true">
      <div className="left">
        <EmptyPanel title="Nodes" rows={20} />
      </div>
      <div className="right">
        <EmptyPanel title="Next token" rows={7} />
        <EmptyPanel title="Total effect by layer and token" rows={14} />
      </div>
    </div>
  );
}

function EmptyPanel({ title, rows }: { title: string; rows: number }) {
  return (
    <section className="panel" aria-label={title}>
      <header>
        <h2>{title}</h2>
      </header>
      <div className="emptyrows" style={{ "--rows": rows }} />
    </section>
  );
}

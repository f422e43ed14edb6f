import { useQuery } from "@tanstack/react-query";

import { coverageQuery, type LayerCoverage } from "@/api/explanations";
import { Async } from "@/components/async";
import { CopyButton } from "@/components/copy-button";
import { KindMark } from "@/components/kind-mark";
import { scoreText } from "@/components/score-bar";
import { formatCount, NONE } from "@/lib/format";

import { explainersOf, groupName, hasSeveralCoders } from "./coverage";

const COMMAND = "tdb explain --dataset DIR --out FILE";

/** How much is explained and how well, by layer and by who explained it. */
export function CoveragePanel() {
  const query = useQuery(coverageQuery());
  return (
    <section className="panel" aria-labelledby="coverage-title">
      <header>
        <h2 id="coverage-title">What is explained</h2>
        <span className="note">{query.data && countText(query.data.n_explanations, query.data.n_failures)}</span>
      </header>
      <Async
        query={query}
        isEmpty={({ n_explanations }) => n_explanations === 0}
        empty={
          <>
            No explanations are loaded: make some, then serve with --explanations FILE. Search by token or by text works
            without. <code className="command">{COMMAND}</code> <CopyButton text={COMMAND}>Copy</CopyButton>
          </>
        }
      >
        {({ layers }) => (
          <div className="coverage">
            {explainersOf(layers).map(([explainer, rows]) => (
              <CoverageTable key={explainer} explainer={explainer} rows={rows} />
            ))}
          </div>
        )}
      </Async>
    </section>
  );
}

function countText(explanations: number, failures: number): string {
  const failed = failures > 0 ? `, ${formatCount(failures)} could not be made` : "";
  return `${formatCount(explanations)} explanations${failed}`;
}

function CoverageTable({ explainer, rows }: { explainer: string; rows: readonly LayerCoverage[] }) {
  const isCoderTold = hasSeveralCoders(rows);
  return (
    <table className="table">
      <caption>{explainer.replaceAll("_", " ")}</caption>
      <thead>
        <tr>
          <th scope="col">Layer</th>
          <th scope="col" className="num">
            Explained
          </th>
          <th scope="col" className="num">
            Mean score
          </th>
          <th scope="col">Scores, 0 to 1</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((row) => (
          <tr key={`${groupName(row)} ${row.coder ?? ""}`}>
            <td>
              <span className="node">
                <KindMark kind={row.kind} />
                <span className="mono">{groupName(row)}</span>
                {isCoderTold && row.coder && <span className="quiet">{row.coder}</span>}
              </span>
            </td>
            <td className="num">
              {formatCount(row.n_explained)}
              {row.n_components !== null && <span className="quiet"> of {formatCount(row.n_components)}</span>}
            </td>
            <td className="num">{row.mean_score === null ? NONE : scoreText(row.mean_score)}</td>
            <td>
              <ScoreHistogram counts={row.histogram} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** Ten bars, one for each tenth of a score. */
function ScoreHistogram({ counts }: { counts: readonly number[] }) {
  const most = Math.max(1, ...counts);
  const words = counts.map((count, tenth) => `${count} from ${tenth / 10}`).join(", ");
  return (
    <span className="scorebars" role="img" aria-label={words} title={words}>
      {counts.map((count, tenth) => (
        <i key={tenth} style={{ height: `${count === 0 ? 0 : Math.max(8, (100 * count) / most)}%` }} />
      ))}
    </span>
  );
}

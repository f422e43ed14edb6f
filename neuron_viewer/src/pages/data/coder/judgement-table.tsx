import { Link } from "react-router";

import type { CoderCard, CoderSetInfo } from "@/api/jobs";
import { define } from "@/lib/define";
import { formatCount } from "@/lib/format";

import { percent, ratio, sparsityText } from "../coder-words";

type JudgementTableProps = {
  set: CoderSetInfo;
  /** The layer that the plots show. */
  layer: number;
  onLayer: (layer: number) => void;
};

/** How good each coder of a set is, on text that it was not trained on. */
export function JudgementTable({ set, layer, onLayer }: JudgementTableProps) {
  const judged = set.coders.find(({ judgement }) => judgement);
  return (
    <section className="panel" aria-labelledby="judged-title">
      <header>
        <h2 id="judged-title">How good they are</h2>
        <span className="note">
          {judged?.judgement
            ? `on ${formatCount(judged.judgement.n_tokens)} tokens of ${judged.judged_on ?? "another text"}`
            : "not judged yet"}
        </span>
        {!judged && (
          <Link className="btn small end" to="/data?new=eval_sae">
            Judge
          </Link>
        )}
      </header>
      <div className="scroll">
        <table className="table judged">
          <thead>
            <tr>
              <th scope="col">Layer</th>
              <th scope="col" className="num">Latents</th>
              <th scope="col" className="num" {...define("explained_variance")}>Explained variance</th>
              <th scope="col" className="num" {...define("normalized_mse")}>Normalised MSE</th>
              <th scope="col" className="num" {...define("l0")}>L0</th>
              <th scope="col" className="num" {...define("dead_fraction")}>Dead</th>
              <th scope="col" className="num" {...define("loss_recovered")}>Loss recovered</th>
              <th scope="col">Kind</th>
            </tr>
          </thead>
          <tbody>
            {set.coders.map((coder) => (
              <CoderRow key={coder.layer} coder={coder} isOn={coder.layer === layer} onLayer={onLayer} />
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function CoderRow({ coder, isOn, onLayer }: { coder: CoderCard; isOn: boolean; onLayer: (layer: number) => void }) {
  const { judgement, layer } = coder;
  const figure = (term: string, value: number | undefined, text: (value: number) => string) => (
    <td className="num" {...define(term, { exact: value })}>
      {value === undefined ? <span className="quiet">{"\u2013"}</span> : text(value)}
    </td>
  );
  return (
    <tr className={isOn ? "on" : undefined} onClick={() => { onLayer(layer); }}>
      <th scope="row">
        <button type="button" className="pickrow" aria-pressed={isOn} onClick={() => { onLayer(layer); }}>
          layer {layer}
        </button>
      </th>
      <td className="num">{formatCount(coder.n_latents)}</td>
      {figure("explained_variance", judgement?.explained_variance, ratio)}
      {figure("normalized_mse", judgement?.normalized_mse, ratio)}
      <td className="num" {...define("l0", { exact: judgement?.l0 })}>
        {judgement ? (
          <>
            {judgement.l0.toFixed(1)} <span className="quiet">{percent(judgement.l0_share)}</span>
          </>
        ) : (
          <span className="quiet">{"\u2013"}</span>
        )}
      </td>
      {figure("dead_fraction", judgement?.dead_fraction, percent)}
      {figure("loss_recovered", judgement?.loss_recovered, ratio)}
      <td>{sparsityText(coder)}</td>
    </tr>
  );
}

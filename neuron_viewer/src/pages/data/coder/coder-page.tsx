import { useQuery } from "@tanstack/react-query";
import { Link, useParams, useSearchParams } from "react-router";

import { type CoderSetInfo, coderSetQuery } from "@/api/jobs";
import { modelQuery } from "@/api/queries";
import { Async } from "@/components/async";
import { KindMark } from "@/components/kind-mark";
import { formatBytes, formatDate } from "@/lib/format-size";

import { layersText, SITE_NAMES } from "../coder-words";
import { ServedCell } from "../served-cell";
import { DensityPlot } from "./density-plot";
import { JudgementTable } from "./judgement-table";
import { LossPlot } from "./loss-plot";
import { RecipePanel } from "./recipe-panel";
import { TrainingPanel } from "./training-panel";
import "../data.css";

/** The training card of a coder set: how it was trained, how that went, and how good it is. */
export function CoderPage() {
  const { name = "" } = useParams();
  const query = useQuery(coderSetQuery(name));
  return (
    <main className="comp data-page" id="page">
      <p className="crumb">
        <Link to="/data">Data and jobs</Link> <span className="quiet">{"\u203a"}</span> coders
      </p>
      <Async query={query}>{(set) => <Card set={set} />}</Async>
    </main>
  );
}

function Card({ set }: { set: CoderSetInfo }) {
  const { data: model } = useQuery(modelQuery());
  const [params, setParams] = useSearchParams();
  const wanted = Number(params.get("layer") ?? NaN);
  const coder = set.coders.find(({ layer }) => layer === wanted) ?? set.coders[0];
  const isServed = model?.name === set.model && model.coders.some(({ name }) => name === set.name);
  return (
    <>
      <div className="chead">
        <div className="cname">
          <KindMark kind="latent" />
          <h1 className="mono">{set.name}</h1>
          <span className="mid">
            {SITE_NAMES[set.site] ?? set.site}, layers {layersText(set.coders.map(({ layer }) => layer))} of {set.model}
          </span>
        </div>
        <div className="cnav">
          <span className="note">
            {formatBytes(set.n_bytes)}, {formatDate(new Date(set.created * 1000))}
          </span>
          <ServedCell isServed={isServed} name={set.name} model={set.model} option={set.serve_option} />
        </div>
      </div>
      {coder && (
        <>
          <JudgementTable
            set={set}
            layer={coder.layer}
            onLayer={(layer) => { setParams({ layer: String(layer) }, { replace: true }); }}
          />
          <div className="cardgrid">
            <TrainingPanel coders={set.coders} layer={coder.layer} />
            <section className="panel" aria-labelledby="density-title">
              <header>
                <h2 id="density-title">How often latents are active</h2>
                <span className="note">layer {coder.layer}</span>
              </header>
              <div className="pad">
                {coder.judgement ? (
                  <DensityPlot judgement={coder.judgement} nLatents={coder.n_latents} />
                ) : (
                  <p className="mid">Not judged yet.</p>
                )}
              </div>
            </section>
            <section className="panel" aria-labelledby="loss-title">
              <header>
                <h2 id="loss-title">Next-token loss</h2>
                <span className="note">layer {coder.layer}, nats a token</span>
              </header>
              <div className="pad">
                {coder.judgement ? <LossPlot judgement={coder.judgement} /> : <p className="mid">Not judged yet.</p>}
              </div>
            </section>
            <RecipePanel set={set} coder={coder} />
          </div>
        </>
      )}
    </>
  );
}

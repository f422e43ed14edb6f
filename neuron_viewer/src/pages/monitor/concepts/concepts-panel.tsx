import { useMemo } from "react";

import { streamClusters } from "@/api/monitor";
import type { Cluster, ClustersRequest, ClustersResponse, ConceptSpec } from "@/api/types";
import { Async } from "@/components/async";
import { barScale, maxAbs } from "@/lib/color";
import { define } from "@/lib/define";
import { useStream } from "@/lib/use-stream";

import { ConceptRow } from "./concept-row";

type ConceptsPanelProps = {
  /** Null while no token is clicked. */
  request: ClustersRequest | null;
  nLayers: number;
  /** What a concept is steered with; its name says which one it is. */
  steered: readonly ConceptSpec[];
  onSteer: (cluster: Cluster, strength: number) => void;
};

/** The influential components grouped by meaning, strongest measured effect first, each against random sets. */
export function ConceptsPanel({ request, nLayers, steered, onSteer }: ConceptsPanelProps) {
  const key = useMemo(() => (request ? JSON.stringify(request) : null), [request]);
  const query = useStream<ClustersResponse>(key, (signal) => streamClusters(request as ClustersRequest, signal));
  const nMeasured = query.data?.clusters.filter((cluster) => cluster.measured_effect !== null).length ?? 0;
  return (
    <section className="panel" aria-labelledby="concepts-title">
      <header>
        <h2 id="concepts-title">Concepts</h2>
        <span className="note">
          {query.data &&
            `${query.data.n_grouped} of ${query.data.n_candidates} leading components share a meaning with others`}
        </span>
        <span className="end note" role="status">
          {query.isRunning && query.data && `Measured ${nMeasured} of ${query.data.clusters.length}`}
          {query.isRunning && !query.data && "Grouping"}
        </span>
      </header>
      <Async
        query={query}
        loading={<p className="pad note conceptswait">Grouping the leading components by what they respond to</p>}
        isEmpty={({ clusters }) => clusters.length === 0}
        empty={<NoConcepts data={query.data} />}
      >
        {(data) => (
          <ConceptTable clusters={data.clusters} nLayers={nLayers} steered={steered} onSteer={onSteer} />
        )}
      </Async>
    </section>
  );
}

function NoConcepts({ data }: { data: ClustersResponse | undefined }) {
  if (!data) return null;
  return (
    <p className="pad note">
      {data.n_explained === 0
        ? "None of the leading components has an explanation yet. Make some on the Search page, or with tdb explain."
        : `Of ${data.n_explained} explained components no three mean the same. Look at them one by one below.`}
    </p>
  );
}

type ConceptTableProps = Omit<ConceptsPanelProps, "request"> & { clusters: readonly Cluster[] };

function ConceptTable({ clusters, nLayers, steered, onSteer }: ConceptTableProps) {
  const bars = barScale(clusters.flatMap((cluster) => [cluster.attribution, cluster.measured_effect]));
  const strip = maxAbs(clusters.flatMap((c) => [c.measured_effect, ...(c.controls?.effects ?? [])]));
  const nControls = Math.max(0, ...clusters.map((cluster) => cluster.controls?.effects.length ?? 0));
  return (
    <div className="scroll">
      <table className="table clus">
        <thead>
          <tr>
            <th scope="col">Concept</th>
            <th scope="col" className="num">
              <abbr title="Coherence by a language model, 1 (one topic) to 7 (none)">Coh.</abbr>
            </th>
            <th scope="col" className="num">Members</th>
            <th scope="col">Layers 0{"\u2013"}{nLayers - 1}</th>
            <th scope="col" className="num" {...define("influence_attribution")}>
              Attribution <span className="unit">estimate</span>
            </th>
            <th scope="col" className="num" aria-sort="descending" {...define("joint_effect")}>
              Measured jointly {"\u2193"}
            </th>
            <th scope="col" {...define("controls")}>
              Against {nControls || ""} random sets
            </th>
            <th scope="col">
              <span className="sr">Steer</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {clusters.map((cluster) => (
            <ConceptRow
              key={cluster.id}
              cluster={cluster}
              nLayers={nLayers}
              scales={{ bars, strip }}
              strength={steered.find(({ name }) => name === cluster.name)?.strength ?? null}
              onSteer={(strength) => { onSteer(cluster, strength); }}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

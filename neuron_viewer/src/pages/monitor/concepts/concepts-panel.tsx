import { useMemo, useState } from "react";

import { ApiError } from "@/api/errors";
import { streamClusters } from "@/api/monitor";
import type { Cluster, ClustersRequest, ClustersResponse, ConceptSpec } from "@/api/types";
import { Async } from "@/components/async";
import { NumberOption } from "@/components/number-option";
import { barScale, maxAbs } from "@/lib/color";
import { define } from "@/lib/define";
import { useStream } from "@/lib/use-stream";

import type { Grouping } from "../monitor-state";
import { sameConcept } from "../steer/same-concept";
import { ConceptRow } from "./concept-row";
import { membersOf } from "./members";

type ConceptsPanelProps = {
  /** Null while no token is clicked. */
  request: ClustersRequest | null;
  onGrouping: (grouping: Grouping) => void;
  nLayers: number;
  /** What a concept is steered with; its name and members say which one it is. */
  steered: readonly ConceptSpec[];
  onSteer: (cluster: Cluster, strength: number) => void;
};

/** The influential components grouped by meaning, strongest measured effect first, each against random sets. */
export function ConceptsPanel({ request, onGrouping, nLayers, steered, onSteer }: ConceptsPanelProps) {
  const key = useMemo(() => (request ? JSON.stringify(request) : null), [request]);
  const query = useStream<ClustersResponse>(key, (signal) => streamClusters(request as ClustersRequest, signal));
  const lack = lackOf(query.error);
  const nMeasured = query.data?.clusters.filter((cluster) => cluster.measured_effect !== null).length ?? 0;
  return (
    <section className="panel" aria-labelledby="concepts-title">
      <header>
        <h2 id="concepts-title">Concepts</h2>
        <span className="note">
          {query.data &&
            `${query.data.n_grouped} of ${query.data.n_candidates} leading components share a meaning with others`}
        </span>
        {request && !lack && <GroupingOptions grouping={request} onChange={onGrouping} />}
        <span className="end note" role="status">
          {query.isRunning && query.data && `Measured ${nMeasured} of ${query.data.clusters.length}`}
          {query.isRunning && !query.data && "Grouping"}
        </span>
      </header>
      {lack && <p className="pad note">{lack}</p>}
      <Async
        query={lack ? { ...query, error: null } : query}
        loading={lack ? <></> : <p className="pad note conceptswait">Grouping the leading components by what they respond to</p>}
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

const CUT = { name: "cut", help: "Cosine distance at which groups part", min: 0.05, max: 2, step: 0.05 };
const LEAST = { name: "members \u2265", help: "Fewest members of a group", min: 1, max: 100, step: 1 };

function GroupingOptions({ grouping, onChange }: { grouping: Grouping; onChange: (grouping: Grouping) => void }) {
  const { cut, min_members } = grouping;
  return (
    <span className="opts small">
      <NumberOption option={CUT} value={cut} onChange={(value) => { onChange({ cut: value, min_members }); }} />
      <NumberOption option={LEAST} value={min_members} onChange={(value) => { onChange({ cut, min_members: value }); }} />
    </span>
  );
}

/** Without explanations there are no concepts; that is how most models are at first, and no fault. */
function lackOf(error: Error | null): string | null {
  return error instanceof ApiError && error.status === 422 ? `${error.said || error.message} ${error.hint}` : null;
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

/** Rows before more are asked for, so that the components stay in sight; groups that share little wait too. */
const SHOWN = 5;

type ConceptTableProps = Omit<ConceptsPanelProps, "request" | "onGrouping"> & { clusters: readonly Cluster[] };

function ConceptTable({ clusters, nLayers, steered, onSteer }: ConceptTableProps) {
  const bars = barScale(clusters.flatMap((cluster) => [cluster.attribution, cluster.measured_effect]));
  const strip = maxAbs(clusters.flatMap((c) => [c.measured_effect, ...(c.controls?.effects ?? [])]));
  const hasCoherence = clusters.some(({ coherence }) => coherence !== null);
  const [showsAll, setShowsAll] = useState(false);
  const tight = clusters.filter(({ is_loose }) => !is_loose);
  const first = (tight.length > 0 ? tight : clusters).slice(0, SHOWN);
  const shown = showsAll ? clusters : first;
  const nControls = Math.max(0, ...clusters.map((cluster) => cluster.controls?.effects.length ?? 0));
  return (
    <div className="scroll">
      <table className="table clus">
        <thead>
          <tr>
            <th scope="col">Concept</th>
            {hasCoherence && (
              <th scope="col" className="num c-coh">
                <abbr title="Coherence by a language model, 1 (one topic) to 7 (none)">Coh.</abbr>
              </th>
            )}
            <th scope="col" className="num c-mem">Members</th>
            <th scope="col" className="c-lay">Layers 0{"\u2013"}{nLayers - 1}</th>
            <th scope="col" className="num c-est" {...define("influence_attribution")}>
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
          {shown.map((cluster) => (
            <ConceptRow
              key={cluster.id}
              cluster={cluster}
              nLayers={nLayers}
              hasCoherence={hasCoherence}
              scales={{ bars, strip }}
              strength={sameConcept(steered, membersOf(cluster))?.strength ?? null}
              onSteer={(strength) => { onSteer(cluster, strength); }}
            />
          ))}
        </tbody>
      </table>
      {clusters.length > first.length && (
        <button type="button" className="link small morerows" onClick={() => { setShowsAll(!showsAll); }}>
          {showsAll ? "Show the strongest only" : `Show ${clusters.length - first.length} more, weaker or loose`}
        </button>
      )}
    </div>
  );
}

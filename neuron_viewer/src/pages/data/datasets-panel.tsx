import { useQuery } from "@tanstack/react-query";

import { datasetsQuery, type UnreadableFile } from "@/api/jobs";
import { modelQuery } from "@/api/queries";
import { Async } from "@/components/async";
import { formatCount, NONE } from "@/lib/format";
import { formatBytes, formatDate, formatDuration } from "@/lib/format-size";

import { DamagedList } from "./damaged-list";
import { type ListedDataset, listedDatasets } from "./listed-datasets";
import { ServedCell } from "./served-cell";
import { UnreadableNote } from "./unreadable-note";

/** Every dataset that is served or on the server's shelf, with its card. */
export function DatasetsPanel({ version }: { version: number }) {
  const query = useQuery(datasetsQuery(version));
  const { data: model } = useQuery(modelQuery());
  const served = model?.datasets ?? [];
  return (
    <section className="panel" aria-labelledby="datasets-title">
      <header>
        <h2 id="datasets-title">Datasets</h2>
        <span className="note">what components respond to, over a text</span>
      </header>
      <Async
        query={query}
        isEmpty={({ datasets, damaged }) => datasets.length + damaged.length + served.length === 0}
        empty="No dataset yet. Collate a text to make one."
      >
        {({ datasets, damaged, unreadable }) => (
          <>
            {datasets.length + served.length > 0 && (
              <DatasetTable datasets={listedDatasets(datasets, served)} unreadable={unreadable} />
            )}
            <DamagedList damaged={damaged} />
          </>
        )}
      </Async>
    </section>
  );
}

type DatasetTableProps = { datasets: readonly ListedDataset[]; unreadable: readonly UnreadableFile[] };

function DatasetTable({ datasets, unreadable }: DatasetTableProps) {
  return (
    <div className="scroll">
      <table className="table shelf">
        <thead>
          <tr>
            <th scope="col">Dataset</th>
            <th scope="col">Model</th>
            <th scope="col" className="num">Tokens</th>
            <th scope="col" className="num">Components</th>
            <th scope="col" className="num">Size</th>
            <th scope="col">Made</th>
            <th scope="col">Recipe</th>
            <th scope="col">Served</th>
          </tr>
        </thead>
        <tbody>
          {datasets.map((dataset) => (
            <DatasetRow
              key={dataset.path}
              dataset={dataset}
              unreadable={unreadable.filter(({ path }) => path === dataset.path)}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

type DatasetRowProps = { dataset: ListedDataset; unreadable: readonly UnreadableFile[] };

function DatasetRow({ dataset, unreadable }: DatasetRowProps) {
  const { recipe, n_bytes, created, seconds } = dataset;
  return (
    <tr>
      <th scope="row">
        <b title={dataset.path}>{dataset.name}</b> {dataset.is_bundled && <span className="tag">bundled</span>}
        <span className="note">{dataset.description || dataset.corpus}</span>
        {dataset.caveats.map((caveat) => (
          <span key={caveat} className="note">
            {caveat}
          </span>
        ))}
        <UnreadableNote files={unreadable} />
      </th>
      <td data-label="Model">{dataset.model}</td>
      <td data-label="Tokens" className="num">{formatCount(dataset.n_tokens)}</td>
      <td data-label="Components" className="num">{formatCount(dataset.n_components)}</td>
      <td data-label="Size" className="num">{n_bytes === null ? NONE : formatBytes(n_bytes)}</td>
      <td data-label="Made">
        {created === "" ? NONE : formatDate(new Date(created))}
        {seconds !== null && <span className="note">in {formatDuration(seconds)}</span>}
      </td>
      <td data-label="Recipe" className="wrap">
        {recipe ? (
          <>
            {recipe.n_top} top, {recipe.n_per_band} a band, {recipe.n_random} random
            <span className="note">
              {recipe.window}-token windows, seed {recipe.seed}
              {dataset.coders.length > 0 && `, latents of ${dataset.coders.join(", ")}`}
            </span>
          </>
        ) : (
          "public"
        )}
      </td>
      <td data-label="Served">
        <ServedCell isServed={dataset.isServed} name={dataset.name} model={dataset.model} option={dataset.serve_option} />
      </td>
    </tr>
  );
}

import { useQuery } from "@tanstack/react-query";

import { datasetsQuery, type StoredDataset } from "@/api/jobs";
import { modelQuery } from "@/api/queries";
import { Async } from "@/components/async";
import { formatCount } from "@/lib/format";
import { formatBytes, formatDate, formatDuration } from "@/lib/format-size";

import { DamagedList } from "./damaged-list";
import { ServedCell } from "./served-cell";

/** Every dataset on the server's disk with its card; those that are served first. */
export function DatasetsPanel({ version }: { version: number }) {
  const query = useQuery(datasetsQuery(version));
  const { data: model } = useQuery(modelQuery());
  const served = new Set(model?.datasets.map(({ path }) => path));
  return (
    <section className="panel" aria-labelledby="datasets-title">
      <header>
        <h2 id="datasets-title">Datasets</h2>
        <span className="note">what components respond to, over a text</span>
      </header>
      <Async
        query={query}
        isEmpty={({ datasets, damaged }) => datasets.length + damaged.length === 0}
        empty="No dataset yet. Collate a text to make one."
      >
        {({ datasets, damaged }) => (
          <>
            {datasets.length > 0 && <DatasetTable datasets={datasets} served={served} />}
            <DamagedList damaged={damaged} />
          </>
        )}
      </Async>
    </section>
  );
}

function DatasetTable({ datasets, served }: { datasets: readonly StoredDataset[]; served: ReadonlySet<string> }) {
  const sorted = [...datasets].sort((a, b) => Number(served.has(b.path)) - Number(served.has(a.path)));
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
          {sorted.map((dataset) => (
            <DatasetRow key={dataset.path} dataset={dataset} isServed={served.has(dataset.path)} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function DatasetRow({ dataset, isServed }: { dataset: StoredDataset; isServed: boolean }) {
  const { recipe } = dataset;
  return (
    <tr>
      <th scope="row">
        <b>{dataset.name}</b> {dataset.is_bundled && <span className="tag">bundled</span>}
        <span className="note">{dataset.description || dataset.corpus}</span>
      </th>
      <td data-label="Model">{dataset.model}</td>
      <td data-label="Tokens" className="num">{formatCount(dataset.n_tokens)}</td>
      <td data-label="Components" className="num">{formatCount(dataset.n_components)}</td>
      <td data-label="Size" className="num">{formatBytes(dataset.n_bytes)}</td>
      <td data-label="Made">
        {formatDate(new Date(dataset.created))}
        <span className="note">in {formatDuration(dataset.seconds)}</span>
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
        <ServedCell isServed={isServed} name={dataset.name} model={dataset.model} option={dataset.serve_option} />
      </td>
    </tr>
  );
}

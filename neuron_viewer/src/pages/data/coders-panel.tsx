import { useQuery } from "@tanstack/react-query";
import { Link } from "react-router";

import { type CoderSetInfo, codersQuery } from "@/api/jobs";
import { modelQuery } from "@/api/queries";
import { Async } from "@/components/async";
import { KindMark } from "@/components/kind-mark";
import { define } from "@/lib/define";
import { formatCount, NONE } from "@/lib/format";
import { formatBytes, formatDate } from "@/lib/format-size";

import { CardlessRow } from "./cardless-row";
import { layersText, percent, rangeText, ratio, SITE_NAMES, spanText, sparsityText } from "./coder-words";
import { DamagedList } from "./damaged-list";
import { listedCoders } from "./listed-coders";
import { ServedCell } from "./served-cell";

/** Every coder set that is served or on the server's disk, with how good it is; its name leads to its training card. */
export function CodersPanel({ version }: { version: number }) {
  const query = useQuery(codersQuery(version));
  const { data: model } = useQuery(modelQuery());
  const { listed, cardless } = listedCoders(query.data?.coder_sets ?? [], model);
  return (
    <section className="panel" aria-labelledby="coders-title">
      <header>
        <h2 id="coders-title">Coders</h2>
        <span className="note">sparse autoencoders: latents in place of neurons and heads</span>
      </header>
      <Async
        query={query}
        isEmpty={({ damaged }) => listed.length + cardless.length + damaged.length === 0}
        empty="No coders yet. Train some on a text."
      >
        {({ damaged }) => (
          <>
            {listed.length + cardless.length > 0 && (
              <div className="scroll">
                <table className="table shelf">
                  <CodersHead />
                  <tbody>
                    {listed.map(({ set, isServed }) => (
                      <CodersRow key={set.path} set={set} isServed={isServed} />
                    ))}
                    {cardless.map((one) => (
                      <CardlessRow key={one.name} coders={one} />
                    ))}
                  </tbody>
                </table>
              </div>
            )}
            <DamagedList damaged={damaged} />
          </>
        )}
      </Async>
    </section>
  );
}

function CodersHead() {
  return (
    <thead>
      <tr>
        <th scope="col">Coder set</th>
        <th scope="col">Site</th>
        <th scope="col">Layers</th>
        <th scope="col" className="num">Latents</th>
        <th scope="col" className="num" {...define("explained_variance")}>Explained variance</th>
        <th scope="col" className="num" {...define("l0")}>L0</th>
        <th scope="col" className="num" {...define("dead_fraction")}>Dead</th>
        <th scope="col" className="num" {...define("loss_recovered")}>Loss recovered</th>
        <th scope="col" className="num">Size</th>
        <th scope="col">Served</th>
      </tr>
    </thead>
  );
}

function CodersRow({ set, isServed }: { set: CoderSetInfo; isServed: boolean }) {
  const { coders } = set;
  const [first] = coders;
  return (
    <tr>
      <th scope="row">
        <span className="node">
          <KindMark kind="latent" />
          <Link className="link" to={`/data/coders/${encodeURIComponent(set.name)}`}>
            <b>{set.name}</b>
          </Link>
          {set.is_bundled && <span className="tag">bundled</span>}
        </span>
        <span className="note">
          for {set.model}, {formatDate(new Date(set.created * 1000))}
        </span>
      </th>
      <td data-label="Site">{SITE_NAMES[set.site] ?? set.site}</td>
      <td data-label="Layers">{layersText(coders.map(({ layer }) => layer))}</td>
      <td data-label="Latents" className="num">
        {spanText(coders.map(({ n_latents }) => n_latents), formatCount) ?? NONE}
        {first && <span className="note">{sparsityText(first)}</span>}
      </td>
      <td data-label="Explained variance" className="num">
        {rangeText(coders, (judged) => judged.explained_variance, ratio) ?? <span className="quiet">not judged</span>}
      </td>
      <td data-label="L0" className="num">
        {rangeText(coders, ({ l0 }) => l0, (value) => value.toFixed(1)) ?? NONE}
      </td>
      <td data-label="Dead" className="num">
        {rangeText(coders, ({ dead_fraction }) => dead_fraction, percent) ?? NONE}
      </td>
      <td data-label="Loss recovered" className="num">
        {rangeText(coders, ({ loss_recovered }) => loss_recovered, ratio) ?? NONE}
      </td>
      <td data-label="Size" className="num">{formatBytes(set.n_bytes)}</td>
      <td data-label="Served">
        <ServedCell isServed={isServed} name={set.name} model={set.model} option={set.serve_option} />
      </td>
    </tr>
  );
}

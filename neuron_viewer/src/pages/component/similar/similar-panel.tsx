import { useQueries, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { Link, useLocation } from "react-router";

import { componentTokensQuery, similarQuery, type SimilarBy } from "@/api/queries";
import type { SimilarResponse } from "@/api/types";
import { Async } from "@/components/async";
import { KindMark } from "@/components/kind-mark";
import { Segments } from "@/components/segments";
import { Token } from "@/components/token";
import { formatEffect } from "@/lib/format";
import { parseComponent } from "@/lib/node";
import { useIdle } from "@/lib/use-idle";

import { usePageCoder } from "../page-coder";

const LISTED = 8;
const TOKENS = 3;
const WAYS: { value: SimilarBy; text: string; title: string }[] = [
  { value: "output", text: "Writes", title: "Cosine of what they write" },
  { value: "input", text: "Reads", title: "Cosine of what they read" },
  { value: "coactivation", text: "Co-activation", title: "Correlation of their values on this component\u2019s exemplars" },
];

/** The components most like this one: by their weights, or by when they are active. Asked for once the rest is drawn. */
export function SimilarPanel({ component }: { component: string }) {
  const [by, setBy] = useState<SimilarBy>("output");
  const coder = usePageCoder();
  const query = useQuery({ ...similarQuery(component, by, LISTED, coder), enabled: useIdle() });
  return (
    <section className="panel" aria-labelledby="similar-title">
      <header>
        <h2 id="similar-title">Similar components</h2>
        <span className="end">
          <Segments label="Similar by" value={by} options={WAYS} onChange={setBy} />
        </span>
      </header>
      <Async
        query={query}
        loading={<div className="similar-wait" aria-busy="true" />}
        isEmpty={({ items }) => items.length === 0}
        empty="No other component is like it in this way."
      >
        {(data) => <SimilarTable data={data} />}
      </Async>
    </section>
  );
}

function SimilarTable({ data }: { data: SimilarResponse }) {
  const { search } = useLocation();
  const coder = usePageCoder();
  const written = useQueries({ queries: data.items.map(({ component }) => componentTokensQuery(component, coder)) });
  return (
    <table className="table simt">
      <thead>
        <tr>
          <th scope="col">Component</th>
          <th scope="col" className="num">
            {data.by === "coactivation" ? "Correlation" : "Cosine"}
          </th>
          <th scope="col">Promotes</th>
        </tr>
      </thead>
      <tbody>
        {data.items.map(({ component, score }, index) => (
          <tr key={component}>
            <td>
              <span className="node">
                <KindMark kind={parseComponent(component)?.kind ?? "bias"} />
                <Link className="mono" to={{ pathname: `/component/${component}`, search }}>
                  {component}
                </Link>
              </span>
            </td>
            <td className="num">{formatEffect(score)}</td>
            <td className="c-pro">
              {written[index]?.data?.promotes.slice(0, TOKENS).map(({ id, text }) => (
                <span key={id}>
                  <Token text={text} />{" "}
                </span>
              ))}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

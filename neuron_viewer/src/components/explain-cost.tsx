import { useQuery } from "@tanstack/react-query";

import { estimateQuery, type EstimateRequest, type EstimateResponse } from "@/api/explanations";
import { ErrorNote } from "@/components/error-note";
import { budgetOf, roughly } from "@/lib/explain-budget";
import { formatCount } from "@/lib/format";

/** What asking a language model would take, told before it is asked; and whether there is one to ask. */
export function ExplainCost({ request }: { request: EstimateRequest }) {
  const { data, error } = useQuery(estimateQuery(request));
  if (error) return <ErrorNote error={error} />;
  return (
    <div className="cost" role="status">
      {data ? <Told estimate={data} /> : <p className="note">Counting what it would take</p>}
    </div>
  );
}

function Told({ estimate }: { estimate: EstimateResponse }) {
  const { n_calls, n_tokens, is_configured, model, address, hint } = estimate;
  return (
    <>
      <p>
        Up to <b>{formatCount(n_calls)}</b> calls and <b>{formatCount(roughly(n_tokens))}</b> tokens, for{" "}
        {sidesText(estimate)}. It stops by itself at {formatCount(budgetOf(estimate))} tokens.
      </p>
      {is_configured ? (
        <p className="note">
          Asked is <span className="mono">{model}</span> at <span className="mono">{address}</span>, at its price. What it
          said before costs nothing.
        </p>
      ) : (
        <p className="note alert">This server has no language model to ask. {hint}</p>
      )}
    </>
  );
}

function sidesText({ n_components, n_sides }: EstimateResponse): string {
  const sides = `${formatCount(n_sides)} ${n_sides === 1 ? "side" : "sides"}`;
  return n_components === 1 ? sides : `${sides} of ${formatCount(n_components)} components`;
}

import { useQuery } from "@tanstack/react-query";

import { measureQuery } from "@/api/queries";
import { basesOf } from "@/lib/bases";
import { formatEffect } from "@/lib/format";

import { useTable } from "./table-context";
import { nodeInCase, type TableRow } from "./table-rows";
import { otherCase } from "./use-measured";

/**
 * What the objective becomes without the whole component, at every position: measured, not estimated. Of an
 * embedding, without it at this token.
 */
export function AblatedResult({ row }: { row: TableRow }) {
  const { view } = useTable();
  const { request } = view;
  const at = row.telling;
  const { component, kind } = row.row;
  const isEmbedding = kind === "embed";
  const spec = request.cases[at] ?? request.cases[0];
  const {
    data: answer,
    error,
    refetch,
  } = useQuery({
    ...measureQuery({
      case: spec as NonNullable<typeof spec>,
      nodes: [isEmbedding ? (nodeInCase(row, at) ?? row.node) : component],
      to: "zero",
      ...basesOf(request),
      other_case: otherCase(request, at),
    }),
    enabled: spec !== undefined,
  });
  const data = typeof answer === "object" ? answer : undefined;
  const effect = data?.effects[0]?.measured_effect;
  return (
    <p className="note prev1">
      Ablate <span className="mono">{component}</span>{" "}
      {isEmbedding ? `at ${row.token?.position ?? 0}` : "at every position"}
      {request.cases.length > 1 && (at === 0 ? ", left case" : ", right case")}:{" "}
      {data && effect !== undefined && (
        <>
          <b className="mid">
            {formatEffect(data.objective)} {"\u2192"} {formatEffect(data.objective - effect)}
          </b>{" "}
          <span className="quiet">measured</span>
        </>
      )}
      {!data && !error && <span className="pend" />}
      {error && (
        <>
          <span className="alert">{error.message}</span>{" "}
          <button type="button" className="btn small" onClick={() => void refetch()}>
            Try again
          </button>
        </>
      )}
    </p>
  );
}

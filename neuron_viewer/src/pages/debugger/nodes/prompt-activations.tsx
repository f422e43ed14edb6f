import { useQuery } from "@tanstack/react-query";

import { activationsQuery } from "@/api/queries";
import type { ActivationsResponse } from "@/api/types";
import { Async } from "@/components/async";
import { Token } from "@/components/token";
import { maxAbs, textHeat } from "@/lib/color";
import { formatMagnitude } from "@/lib/format";
import { basisCoder } from "@/lib/component-link";
import { parseNode } from "@/lib/node";

import { formatWeight, stripTokens, type StripToken } from "./prompt-strip";
import { useTable } from "./table-context";
import { nodeInCase, type TableRow } from "./table-rows";

function useActivations(row: TableRow) {
  const { view } = useTable();
  const at = row.telling;
  const spec = view.request.cases[at];
  const { component } = row.row;
  const coder = basisCoder(component, view.request, view.model.coders);
  const query = useQuery(activationsQuery(component, [spec?.prompt ?? ""], coder));
  const place = parseNode(nodeInCase(row, at) ?? row.node);
  return { query, place, isEdited: (spec?.interventions.length ?? 0) > 0 };
}

/** Where the head looks from the row's token: its pattern in the unedited model. */
export function AttentionFrom({ row }: { row: TableRow }) {
  const { query, place, isEdited } = useActivations(row);
  const from = place?.position ?? 0;
  return (
    <>
      <h3>
        Attention from {row.token && <Token text={row.token.text} index={from} />} {isEdited && <Unedited />}
      </h3>
      <Async query={query} loading={<StripSpace />}>
        {(data) => (
          <Strip
            tokens={stripTokens(tokensOf(data), weightsFrom(data, from), place?.keyPosition ?? null)}
            at={place?.keyPosition ?? null}
            max={1}
            unsigned
          />
        )}
      </Async>
    </>
  );
}

/** Where along the prompt the neuron or latent is active, in the unedited model. */
export function ActivationsAlong({ row }: { row: TableRow }) {
  const { query, place, isEdited } = useActivations(row);
  const at = place?.position ?? null;
  return (
    <>
      <h3>Activation along the prompt {isEdited && <Unedited />}</h3>
      <Async query={query} loading={<StripSpace />}>
        {(data) => {
          const values = valuesOf(data);
          return <Strip tokens={stripTokens(tokensOf(data), values, at)} at={at} max={maxAbs(values)} />;
        }}
      </Async>
    </>
  );
}

function tokensOf(data: ActivationsResponse) {
  return data.results[0]?.tokens ?? [];
}

function valuesOf(data: ActivationsResponse): number[] {
  return (data.results[0]?.activations ?? []).filter((value) => typeof value === "number");
}

function weightsFrom(data: ActivationsResponse, from: number): number[] {
  const weights = data.results[0]?.activations[from];
  return Array.isArray(weights) ? weights : [];
}

function Unedited() {
  return <span className="tag">unedited model</span>;
}

/** Of the strip's height, so that nothing jumps when it comes. */
export function StripSpace() {
  return <div className="strip-space" />;
}

export type StripProps = { tokens: (StripToken | null)[]; at: number | null; max: number; unsigned?: boolean };

export function Strip({ tokens, at, max, unsigned = false }: StripProps) {
  return (
    <div className="strip14">
      {tokens.map((token, place) => {
        if (!token)
          return (
            <span key={`gap-${place}`} className="quiet">
              {"\u2026"}
            </span>
          );
        const { text, position, value } = token;
        const figure = unsigned
          ? formatWeight(value)
          : isWorthPrinting(value, max)
            ? formatMagnitude(value)
            : "";
        return (
          <span
            key={position}
            className={position === at ? "as at" : "as"}
            title={`${position}: ${formatMagnitude(value)}`}
          >
            <i style={textHeat(value, max, unsigned)}>
              <Token text={text} />
            </i>
            <span className="idx">{figure}</span>
          </span>
        );
      })}
    </div>
  );
}

/** Below a fifth of the largest the shade says enough. */
function isWorthPrinting(value: number, max: number): boolean {
  return max > 0 && Math.abs(value) >= 0.2 * max;
}

import type { MouseEvent } from "react";

import { KindMark } from "@/components/kind-mark";
import { Token, TokenPair } from "@/components/token";
import { basisCoder } from "@/lib/component-link";

import { useTable } from "./table-context";
import type { TableRow } from "./table-rows";

type NodeCellProps = { row: TableRow; isOpen: boolean; onToggle: () => void };

/** The node's kind, its name as a link to its component, and what makes it special here. */
export function NodeCell({ row, isOpen, onToggle }: NodeCellProps) {
  return (
    <>
      <span className="node">
        <KindMark kind={row.row.kind} />
        <NodeLink row={row} />
        <RowTags row={row} />
        <button type="button" className="sr" tabIndex={-1} aria-expanded={isOpen} onClick={onToggle}>
          Details of {row.node}
        </button>
      </span>
      <span className="sub">
        <RowTags row={row} /> <RowTokens row={row} />
      </span>
    </>
  );
}

/** What was done to it, and whether only one case has it. */
function RowTags({ row: { row, only } }: { row: TableRow }) {
  return (
    <>
      {row.edited && <span className="tag">{row.edited}</span>}
      {only && <span className="tag">{only} only</span>}
    </>
  );
}

function NodeLink({ row }: { row: TableRow }) {
  const { actions, view } = useTable();
  const { component } = row.row;
  const coder = basisCoder(component, view.request, view.model.coders);
  const query = coder === null ? "" : `?coder=${encodeURIComponent(coder)}`;
  const place = row.node.slice(component.length + 1);
  function onClick(event: MouseEvent) {
    event.stopPropagation();
    if (event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    actions.openComponent(component);
  }
  return (
    <a className="mono" href={`/component/${component}${query}`} tabIndex={-1} onClick={onClick}>
      {component}
      {place && <span className="at-sep">@</span>}
      {place}
    </a>
  );
}

/** The token it writes at; for a head the pair, from (query) to (key). */
export function RowTokens({ row: { token, keyToken } }: { row: TableRow }) {
  if (!token) return <span className="quiet">every token</span>;
  const from = { text: token.text, index: token.position };
  if (!keyToken) return <Token {...from} />;
  return <TokenPair from={from} to={{ text: keyToken.text, index: keyToken.position }} />;
}

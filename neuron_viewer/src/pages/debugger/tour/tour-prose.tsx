import { Token } from "@/components/token";

import type { Piece, Prose } from "./prose";

/** The sentences of a step, one paragraph each. */
export function TourProse({ text }: { text: readonly Prose[] }) {
  return text.map((prose, place) => (
    <p key={place}>
      {prose.map((piece, at) => (
        <PieceText key={at} piece={piece} />
      ))}
    </p>
  ));
}

function PieceText({ piece }: { piece: Piece }) {
  if (typeof piece === "string") return piece;
  if ("figure" in piece) return <b>{piece.figure}</b>;
  if ("name" in piece) return <span className="mono">{piece.name}</span>;
  return <Token text={piece.token} index={piece.at} />;
}

/** Sentences with tokens, names and figures in them, so that they can be told apart on screen and in tests. */
import { visibleText } from "@/lib/format";

export type Piece = string | { token: string; at?: number } | { name: string } | { figure: string };
export type Prose = readonly Piece[];

/** Several tokens as one list: `Mary, John`. */
export function tokenList(texts: readonly string[]): Piece[] {
  return texts.flatMap((token, place) => (place === 0 ? [{ token }] : [", ", { token }]));
}

/** As it reads on screen. */
export function plainText(prose: Prose): string {
  return prose.map(pieceText).join("");
}

function pieceText(piece: Piece): string {
  if (typeof piece === "string") return piece;
  if ("name" in piece) return piece.name;
  if ("figure" in piece) return piece.figure;
  return visibleText(piece.token) + (piece.at === undefined ? "" : ` ${piece.at}`);
}

import type { CaseResult, Token } from "@/api/types";

/** A column of the map: a token, and where it stands in each case (null where a case lacks it). */
export interface AlignedColumn {
  token: Token;
  positions: readonly (number | null)[];
}

/** Prompts of unequal length are aligned at the end, where the prediction is made. */
export function alignColumns(cases: readonly Pick<CaseResult, "tokens">[]): AlignedColumn[] {
  const length = Math.max(0, ...cases.map((one) => one.tokens.length));
  return Array.from({ length }, (_, column) => {
    const positions = cases.map((one) => {
      const position = column - (length - one.tokens.length);
      return position >= 0 ? position : null;
    });
    const token = firstToken(cases, positions);
    return { token, positions };
  });
}

function firstToken(
  cases: readonly Pick<CaseResult, "tokens">[],
  positions: readonly (number | null)[],
): Token {
  for (const [index, position] of positions.entries()) {
    const token = position === null ? undefined : cases[index]?.tokens[position];
    if (token) return token;
  }
  return { id: -1, text: "" };
}

/** The column's index as its own case counts it: the left case where it has one. */
export function columnIndex(column: AlignedColumn): number {
  return column.positions.find((position) => position !== null) ?? 0;
}

/** `left only`, `right only`, or null when every case has the token. */
export function onlyIn(column: AlignedColumn): "left only" | "right only" | null {
  if (column.positions.length < 2 || !column.positions.includes(null)) return null;
  return column.positions[0] === null ? "right only" : "left only";
}

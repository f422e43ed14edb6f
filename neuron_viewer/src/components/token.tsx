import { visibleParts } from "@/lib/format";

type TokenProps = {
  text: string;
  /** Index in the prompt, printed small after the text. */
  index?: number | undefined;
  /** In running text spaces stay spaces. */
  running?: boolean;
};

/** A token's text with its white space visible, always as text, never as HTML. */
export function Token({ text, index, running = false }: TokenProps) {
  const token = <span className="tok">{tokenMarks(text, running)}</span>;
  if (index === undefined) return token;
  return (
    <span className="tk">
      {token}
      <span className="idx">{index}</span>
    </span>
  );
}

/** The pieces of a token, with marks for its white space. */
export function tokenMarks(text: string, running: boolean) {
  return visibleParts(text, running).map((part, place) =>
    part.quiet ? <b key={place}>{part.text}</b> : part.text,
  );
}

/** A pair reads `from -> to` (query, then key). */
export function TokenPair({ from, to }: { from: TokenProps; to: TokenProps }) {
  return (
    <span className="tk">
      <Token {...from} />
      <span className="arr">{"\u2192"}</span>
      <Token {...to} />
    </span>
  );
}

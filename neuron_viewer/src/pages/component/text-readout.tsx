import { Token } from "@/components/token";
import { define } from "@/lib/define";
import { formatMagnitude } from "@/lib/format";

import type { TextResult } from "./token-values";

export interface TextReadoutProps {
  result: TextResult | undefined;
  values: readonly (number | null)[];
  /** The token that is read out; for a head, the one that attends. */
  shown: number | null;
  isHead: boolean;
}

const LISTED = 4;

/** The pointed token's value; for a head, the tokens it attends to most. */
export function TextReadout({ result, values, shown, isHead }: TextReadoutProps) {
  const token = shown === null ? undefined : result?.tokens[shown];
  if (!result || !token || shown === null) {
    return <p className="read quiet">Type something to see where it acts.</p>;
  }
  if (!isHead) {
    const value = values[shown] ?? null;
    return (
      <p className="read">
        <Token text={token.text} index={shown} />
        <span className="quiet">activation</span>
        <b
          className={value !== null && value < 0 ? "neg" : "pos"}
          {...define("activation", { exact: value })}
        >
          {signed(value)}
        </b>
        <Strongest result={result} values={values} />
      </p>
    );
  }
  return (
    <p className="read">
      <Token text={token.text} index={shown} />
      <span className="quiet">attends to</span>
      {strongest(values).map((key) => (
        <span key={key} className="attended">
          <Token text={result.tokens[key]?.text ?? ""} index={key} />{" "}
          <b {...define("activation", { exact: values[key] ?? null })}>{formatMagnitude(values[key])}</b>
        </span>
      ))}
    </p>
  );
}

function Strongest({ result, values }: Pick<TextReadoutProps, "values"> & { result: TextResult }) {
  return (
    <span className="strongest">
      <span className="quiet">strongest</span>
      {strongest(values).map((at) => (
        <span key={at} className="attended">
          <Token text={result.tokens[at]?.text ?? ""} index={at} /> {signed(values[at] ?? null)}
        </span>
      ))}
    </span>
  );
}

function strongest(values: readonly (number | null)[]): number[] {
  return values
    .map((value, index) => ({ index, size: Math.abs(value ?? 0) }))
    .filter(({ size }) => size > 0)
    .sort((a, b) => b.size - a.size)
    .slice(0, LISTED)
    .map(({ index }) => index);
}

/** Neurons and latents have a sign, so it is always written. */
export function signed(value: number | null): string {
  return (value !== null && value > 0 ? "+" : "") + formatMagnitude(value);
}

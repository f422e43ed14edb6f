import { Token } from "@/components/token";
import { define } from "@/lib/define";
import { formatMagnitude } from "@/lib/format";

import { AblationReadout } from "./ablation-readout";
import type { Component } from "@/lib/node";
import type { TextResult } from "./token-values";

/** What the readout says of the pointed token. */
export type ReadoutMode = "activation" | "ablated";

export interface TextReadoutProps {
  component: Component;
  result: TextResult | undefined;
  values: readonly (number | null)[];
  /** The token that is read out; for a head, the one that attends. */
  shown: number | null;
  mode: ReadoutMode;
  text: string;
}

const LISTED = 4;
const NOTHING_YET = "\u00a0";

/** The pointed token's value, or its probability without the component; for a head, what it attends to. */
export function TextReadout({ component, result, values, shown, mode, text }: TextReadoutProps) {
  const token = shown === null ? undefined : result?.tokens[shown];
  if (!result || !token || shown === null) {
    return <p className="read quiet">{text === "" ? "Type something to see where it acts." : NOTHING_YET}</p>;
  }
  const isHead = component.kind === "attn";
  return (
    <p className="read">
      <Token text={token.text} index={shown} />
      {component.index === null && <WriteNorm value={values[shown] ?? null} />}
      {component.index !== null && !isHead && <Activation value={values[shown] ?? null} />}
      {mode === "ablated" && (
        <AblationReadout component={component.name} text={text} token={token.text} index={shown} />
      )}
      {mode === "activation" && isHead && <Attended result={result} values={values} />}
      {mode === "activation" && !isHead && (
        <Strongest result={result} values={values} format={component.index === null ? formatMagnitude : signed} />
      )}
    </p>
  );
}

function Activation({ value }: { value: number | null }) {
  return (
    <>
      <span className="quiet">activation</span>
      <b className={value !== null && value < 0 ? "neg" : "pos"} {...define("activation", { exact: value })}>
        {signed(value)}
      </b>
    </>
  );
}

/** The embeddings and a coder's error are vectors, not units: a token has the norm of what is written there. */
function WriteNorm({ value }: { value: number | null }) {
  return (
    <>
      <span className="quiet">norm of its write</span>
      <b {...define("write_magnitude", { exact: value })}>{formatMagnitude(value)}</b>
    </>
  );
}

function Attended({ result, values }: Pick<TextReadoutProps, "values"> & { result: TextResult }) {
  return (
    <>
      <span className="quiet">attends to</span>
      {strongest(values).map((key) => (
        <span key={key} className="attended">
          <Token text={result.tokens[key]?.text ?? ""} index={key} />{" "}
          <b {...define("activation", { exact: values[key] ?? null })}>{formatMagnitude(values[key])}</b>
        </span>
      ))}
    </>
  );
}

interface StrongestProps extends Pick<TextReadoutProps, "values"> {
  result: TextResult;
  format: (value: number | null) => string;
}

function Strongest({ result, values, format }: StrongestProps) {
  const found = strongest(values);
  if (found.length === 0) return <span className="strongest quiet">not active on any token of this text</span>;
  return (
    <span className="strongest">
      <span className="quiet">strongest</span>
      {found.map((at) => (
        <span key={at} className="attended">
          <Token text={result.tokens[at]?.text ?? ""} index={at} /> {format(values[at] ?? null)}
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

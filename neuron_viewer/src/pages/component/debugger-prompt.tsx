import { useState } from "react";

import type { ActivationsResponse } from "@/api/types";
import { Async, type Asynchronous } from "@/components/async";
import { Token } from "@/components/token";
import { formatMagnitude } from "@/lib/format";

import { signed } from "./text-readout";
import { heatOf, peakOf, tokenValues, type TextResult } from "./token-values";

export interface DebuggerPromptProps {
  query: Asynchronous<ActivationsResponse>;
  prompt: string;
  maximum: number;
  isHead: boolean;
}

/** The prompt the Debugger showed, with this component's values on it. */
export function DebuggerPrompt({ query, prompt, maximum, isHead }: DebuggerPromptProps) {
  return (
    <Async
      query={query}
      loading={
        <p className="pad own2">
          <span className="label">From the Debugger</span>
          <span className="text stale">{prompt}</span>
        </p>
      }
    >
      {(data) => {
        const result = data.results[0];
        return result && <PromptLine result={result} maximum={maximum} isHead={isHead} />;
      }}
    </Async>
  );
}

interface PromptLineProps {
  result: TextResult;
  maximum: number;
  isHead: boolean;
}

function PromptLine({ result, maximum, isHead }: PromptLineProps) {
  const [pointed, setPointed] = useState<number | null>(null);
  const last = result.tokens.length - 1;
  const from = isHead ? (pointed ?? last) : null;
  const values = tokenValues(result, from ?? 0);
  const shown = isHead ? peakOf(values) : (pointed ?? peakOf(values) ?? last);
  const isSilent = !isHead && pointed === null && peakOf(values) === null;
  const value = shown === null ? null : (values[shown] ?? null);
  return (
    <div className="pad own2">
      <span className="label">From the Debugger</span>
      <p
        className="text"
        onPointerLeave={() => {
          setPointed(null);
        }}
      >
        {result.tokens.map((token, index) => {
          const { style, mark } = heatOf(index, { values, maximum, from, pointed });
          return (
            <span
              key={index}
              className={mark}
              style={style}
              title={isHead ? undefined : signed(values[index] ?? null)}
              onPointerEnter={() => {
                setPointed(index);
              }}
            >
              {token.text}
            </span>
          );
        })}
      </p>
      <span className="num" hidden={isSilent}>
        {isHead ? formatMagnitude(value) : signed(value)} {isHead && from !== null ? "from" : "at"}{" "}
        {isHead && from !== null && <Token text={result.tokens[from]?.text ?? ""} index={from} />}
        {isHead && " to "}
        {shown !== null && <Token text={result.tokens[shown]?.text ?? ""} index={shown} />}
      </span>
      {isSilent && <span className="quiet">not active on any token of it</span>}
    </div>
  );
}

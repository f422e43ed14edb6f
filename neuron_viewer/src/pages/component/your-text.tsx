import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { activationsQuery } from "@/api/queries";
import { ErrorNote } from "@/components/error-note";
import { formatMagnitude } from "@/lib/format";

import type { Indexed } from "./bounds";
import { DebuggerPrompt } from "./debugger-prompt";
import { HeatEditor } from "./heat-editor";
import { ReadoutSwitch } from "./readout-switch";
import { TextReadout, type ReadoutMode } from "./text-readout";
import { TextPattern } from "./text-pattern";
import { textSpans } from "./text-spans";
import { heatOf, peakOf, sharedMaximum, tokenValues } from "./token-values";
import { useDraft } from "./use-draft";

export interface YourTextProps {
  component: Indexed;
  text: string;
  onText: (text: string) => void;
  /** The Debugger's prompt, where one was carried over. */
  prompt: string | null;
  /** The dataset's largest value, at which colours are full; null where it is not known. */
  maximum: number | null;
  mode: ReadoutMode;
  onMode: (mode: ReadoutMode) => void;
}

/** The component at work on any text, as it is typed, and on the Debugger's prompt below. */
export function YourText({ component, text, onText, prompt, maximum: known, mode, onMode }: YourTextProps) {
  const [draft, setDraft] = useDraft(text, onText);
  const [pointed, setPointed] = useState<number | null>(null);
  const isHead = component.kind === "attn";
  const query = useQuery({
    ...activationsQuery(component.name, [text]),
    enabled: text !== "",
    placeholderData: keepPreviousData,
  });
  const carried = useQuery({ ...activationsQuery(component.name, [prompt ?? ""]), enabled: Boolean(prompt) });
  const result = text === "" ? undefined : query.data?.results[0];
  const maximum = known ?? sharedMaximum(isHead, [result, carried.data?.results[0]]);
  const n = result?.tokens.length ?? 0;
  const at = pointed !== null && pointed < n ? pointed : null;
  const from = isHead ? (at ?? n - 1) : null;
  const values = result ? tokenValues(result, from ?? 0) : [];
  const shown = isHead ? from : (at ?? peakOf(values) ?? (n > 0 ? n - 1 : null));

  return (
    <>
      <section className="panel" aria-labelledby="your-text-title">
        <header>
          <h2 id="your-text-title">Your text</h2>
          <span className="note">
            {isHead
              ? "point at a token to see where it attends"
              : maximum > 0 &&
                `scale: the ${known === null ? "largest value here" : "dataset\u2019s largest value"}, ${formatMagnitude(maximum)}`}
          </span>
          <span className="end">
            <span className="note" role="status">
              {query.isFetching && "Computing"}
            </span>
            <ReadoutSwitch mode={mode} isHead={isHead} onChange={onMode} />
          </span>
        </header>
        <div className="pad own">
          <HeatEditor
            text={draft}
            spans={textSpans(draft, result?.tokens ?? [])}
            heat={(token) => heatOf(token, { values, maximum, from, pointed: shown })}
            label="Your text"
            onChange={setDraft}
            onPoint={setPointed}
          />
          {query.error && text !== "" && (
            <ErrorNote error={query.error}>
              <button type="button" className="btn small" onClick={() => void query.refetch()}>
                Try again
              </button>
            </ErrorNote>
          )}
          <TextReadout
            component={component}
            result={result}
            values={values}
            shown={shown}
            mode={mode}
            text={text}
          />
        </div>
        {prompt !== null && !(query.error && carried.error) && (
          <DebuggerPrompt query={carried} prompt={prompt} maximum={maximum} isHead={isHead} />
        )}
      </section>
      {isHead && result && (
        <TextPattern
          result={result}
          head={component.name}
          from={from ?? -1}
          stale={query.isPlaceholderData}
          onFrom={setPointed}
        />
      )}
    </>
  );
}

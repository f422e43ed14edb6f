import { ErrorNote } from "@/components/error-note";
import { formatMagnitude } from "@/lib/format";
import type { Component } from "@/lib/node";

import { DebuggerPrompt } from "./debugger-prompt";
import { HeatEditor } from "./heat-editor";
import { ReadoutSwitch } from "./readout-switch";
import { TextReadout, type ReadoutMode } from "./text-readout";
import { textSpans } from "./text-spans";
import { heatOf } from "./token-values";
import type { YourTextState } from "./use-your-text";

export interface YourTextProps {
  component: Component;
  state: YourTextState;
  mode: ReadoutMode;
  onMode: (mode: ReadoutMode) => void;
}

/** The component at work on any text, as it is typed: at first on the Debugger's prompt, which stands below once they differ. */
export function YourText({ component, state, mode, onMode }: YourTextProps) {
  const { text, prompt, draft, setDraft, query, carried, result, isHead, isKnown, maximum, from, values, shown, setPointed } =
    state;
  return (
    <section className="panel" aria-labelledby="your-text-title">
      <header>
        <h2 id="your-text-title">Your text</h2>
        <span className="note">
          {isHead
            ? "point at a token to see where it attends"
            : maximum > 0 &&
              `${component.index === null ? "norm of its write; " : ""}scale: the ${isKnown ? "dataset\u2019s largest value" : "largest value here"}, ${formatMagnitude(maximum)}`}
        </span>
        <span className="end">
          {prompt !== null && prompt === text && <span className="note">from the Debugger</span>}
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
      {prompt !== null && prompt !== text && !(query.error && carried.error) && (
        <DebuggerPrompt query={carried} prompt={prompt} maximum={maximum} isHead={isHead} />
      )}
    </section>
  );
}

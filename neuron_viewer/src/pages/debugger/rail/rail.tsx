import { ErrorBoundary } from "@/components/error-boundary";

import type { PanelProps } from "../view";
import { EffectMapPanel } from "./effect-map-panel";
import { NextTokenPanel } from "./next-token-panel";
import { PatternPanel } from "./pattern-panel";
import "./rail.css";

/** Beside the node table: what comes next, where effects sit, and where a head looks. */
export function Rail({ view, ui, actions }: PanelProps) {
  return (
    <aside className="right" aria-label="Next token, map and attention pattern">
      <ErrorBoundary name="Next token">
        <NextTokenPanel cases={view.response.cases} actions={actions} />
      </ErrorBoundary>
      <ErrorBoundary name="Total effect by layer and token">
        <EffectMapPanel view={view} ui={ui} actions={actions} />
      </ErrorBoundary>
      <ErrorBoundary name="Attention pattern">
        <PatternPanel view={view} ui={ui} actions={actions} />
      </ErrorBoundary>
    </aside>
  );
}

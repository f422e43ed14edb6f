/** What the Debugger page hands to its panels. */
import type {
  DebugRequest,
  DebugResponse,
  InterventionSpec,
  ModelResponse,
  TraceSpec,
} from "@/api/types";
import type { DebugUiState, Filters } from "@/lib/url-state";

export type { DebugUiState, Filters };

export type DebugView = {
  /** As it was sent: an edited case stands beside itself without its edits. */
  request: DebugRequest;
  response: DebugResponse;
  /** A newer request is on its way. */
  stale: boolean;
  glossary: Record<string, string>;
  model: ModelResponse;
};

/** Everything a panel can ask for. Edits of the question are new history entries; the rest replaces the current one. */
export type DebugActions = {
  addIntervention(spec: InterventionSpec): void;
  trace(spec: TraceSpec): void;
  setTarget(text: string): void;
  setDistractor(text: string): void;
  setPosition(position: number): void;
  setTopK(k: number): void;
  select(node: string | null): void;
  setFilters(patch: Partial<Filters>): void;
  setSort(sort: { column: string; descending: boolean }): void;
  openComponent(component: string): void;
};

export type PanelProps = { view: DebugView; ui: DebugUiState; actions: DebugActions };

import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { useState } from "react";
import { vi } from "vitest";

import type { CaseSpec, DebugResponse, InterventionSpec, ModelResponse } from "@/api/types";
import { DEFAULT_UI } from "@/lib/url-state";
import { NodePanel } from "@/pages/debugger/nodes/node-panel";
import type { DebugActions, DebugUiState, DebugView } from "@/pages/debugger/view";

import compare from "../fixtures/compare.json";
import debug from "../fixtures/debug.json";
import model from "../fixtures/model.json";

const SPEC: CaseSpec = {
  prompt: "When Mary and John went to the store, John gave a drink to",
  target_tokens: [" Mary"],
  distractor_tokens: [" John"],
  objective: "logit_diff",
  position: -1,
  interventions: [],
};
const ABLATE: InterventionSpec = { kind: "ablate", component: "attn_L23_3", value: "zero" };

export function viewOf(kind: "one case" | "ablated" | "two prompts"): DebugView {
  const left = kind === "ablated" ? { ...SPEC, interventions: [ABLATE] } : SPEC;
  const right =
    kind === "two prompts" ? { ...SPEC, prompt: "When Mary and John left, Mary gave a drink to" } : SPEC;
  const isOne = kind === "one case";
  const cases = isOne ? [left] : [left, right];
  return {
    request: { cases, mlp_basis: "neuron", attention_basis: "head", top_k: 25, read_out_norm: "fixed" },
    response: (isOne ? debug : compare) as unknown as DebugResponse,
    stale: false,
    glossary: model.glossary,
    model: model as unknown as ModelResponse,
  };
}

/** The panel with the page's state in place of its URL; every act is a spy. */
export function renderPanel(view: DebugView, start: Partial<DebugUiState> = {}) {
  const acts = {
    addIntervention: vi.fn<DebugActions["addIntervention"]>(),
    trace: vi.fn<DebugActions["trace"]>(),
    setTarget: vi.fn<DebugActions["setTarget"]>(),
    setDistractor: vi.fn<DebugActions["setDistractor"]>(),
    setPosition: vi.fn<DebugActions["setPosition"]>(),
    setTopK: vi.fn<DebugActions["setTopK"]>(),
    openComponent: vi.fn<DebugActions["openComponent"]>(),
  };
  const client = new QueryClient({ defaultOptions: { queries: { retry: false } } });
  function Page() {
    const [ui, setUi] = useState<DebugUiState>({ ...DEFAULT_UI, ...start });
    const actions: DebugActions = {
      ...acts,
      select: (selected) => setUi((now) => ({ ...now, selected })),
      setFilters: (patch) => setUi((now) => ({ ...now, filters: { ...now.filters, ...patch } })),
      setSort: (sort) => setUi((now) => ({ ...now, sort })),
    };
    return <NodePanel view={view} ui={ui} actions={actions} />;
  }
  const page = render(
    <QueryClientProvider client={client}>
      <Page />
    </QueryClientProvider>,
  );
  return { ...page, acts };
}

import "./monitor.css";

import { keepPreviousData, useQuery } from "@tanstack/react-query";

import { modelQuery } from "@/api/queries";
import { influenceQuery } from "@/api/monitor";
import type { ConceptSpec, InfluenceItem, InfluenceRequest, ModelResponse } from "@/api/types";
import { ErrorBoundary } from "@/components/error-boundary";
import { ErrorNote } from "@/components/error-note";

import { ComponentsPanel } from "./components/components-panel";
import { memberOf, membersOf } from "./concepts/members";
import { ConceptsPanel } from "./concepts/concepts-panel";
import { ConversationPanel } from "./conversation/conversation-panel";
import { useConversation } from "./conversation/use-conversation";
import { clustersRequest, influenceRequest } from "./conversation-request";
import { ExplainedHeader } from "./explained-header";
import { StartPanel } from "./start/start-panel";
import { sameConcept } from "./steer/same-concept";
import { SteerPanel } from "./steer/steer-panel";
import { useMonitor } from "./use-monitor";

const MEASURED = 60;
/** What a chat may begin with; the first is the question that Transluce's Monitor became known for. */
const QUESTIONS = [
  "Which is bigger, 9.9 or 9.11? Answer in one short sentence.",
  "What is the capital of France?",
  "Name the day after Tuesday.",
];

export function MonitorPage() {
  const { data, error } = useQuery(modelQuery());
  return (
    <main className="mon" id="page">
      <h1 className="sr">Monitor</h1>
      {data && <Monitored model={data} />}
      {!data && error && <ErrorNote error={error} />}
    </main>
  );
}

function Monitored({ model }: { model: ModelResponse }) {
  const isChat = model.has_chat_template;
  const monitor = useMonitor(isChat);
  const talk = useConversation(monitor, isChat);
  const { state, change } = monitor;
  const { position } = state.explained;
  const nTokens = talk.tokens.length;
  const request = position === null ? null : influenceRequest(state, position, model.n_layers);
  const query = useInfluence(request);
  const measured = useInfluence(request && query.data ? { ...request, measure: MEASURED } : null);
  // Said once, in the header.
  const isRefused = query.error !== null && query.data === undefined;
  const heat = (position !== null && query.data?.by_key_token) || null;
  function steer(concept: Pick<ConceptSpec, "name" | "members" | "strength">) {
    const same = sameConcept(state.concepts, concept);
    const others = state.concepts.filter((other) => other !== same);
    // Pressing what is pressed already takes it back.
    if (same && same.strength === concept.strength) change({ concepts: others });
    else change({ concepts: [...others, { ...NEW_CONCEPT, ...same, ...concept }] });
  }
  return (
    <>
      <ErrorBoundary name="Conversation">
        <ConversationPanel
          monitor={monitor}
          talk={talk}
          isChat={isChat}
          prompts={isChat ? QUESTIONS : model.examples.slice(0, 4).map((example) => example.prompt)}
          heat={heat}
          objective={(position !== null && query.data?.objective) || null}
        />
      </ErrorBoundary>
      <div className="monr">
        {position !== null && (
          <ExplainedHeader
            explained={state.explained}
            position={position}
            data={query.data}
            error={query.error}
            isFetching={query.isFetching}
            onChange={(explained) => { change({ explained }); }}
          />
        )}
        {request && !isRefused && (
          <ErrorBoundary name="Concepts">
            <ConceptsPanel
              request={clustersRequest(state, request.position, model.n_layers)}
              onGrouping={(grouping) => { change({ grouping }, true); }}
              nLayers={model.n_layers}
              steered={state.concepts}
              onSteer={(cluster, strength) => { steer({ ...membersOf(cluster), strength }); }}
            />
          </ErrorBoundary>
        )}
        <div className="mrow">
          <ErrorBoundary name="Components">
            {position === null && <StartPanel model={model} onRun={talk.run} />}
            {request && !isRefused && (
              <ComponentsPanel
                query={{ ...query, error: null }}
                listing={state.listing}
                lasts={{ token: nTokens === 0 ? null : nTokens - 1, layer: model.n_layers - 1 }}
                onListing={(listing) => { change({ listing }, true); }}
                measured={{ effects: effectsOf(measured.data?.items ?? []), isRunning: measured.isFetching }}
                onSteer={(item) => { steer({ name: item.component, members: [memberOf(item)], strength: 0 }); }}
              />
            )}
          </ErrorBoundary>
          <ErrorBoundary name="Steer">
            <SteerPanel monitor={monitor} model={model.name} nTokens={nTokens} />
          </ErrorBoundary>
        </div>
      </div>
    </>
  );
}

const NEW_CONCEPT: ConceptSpec = {
  name: "",
  members: [],
  strength: 0,
  method: "set",
  where: "everything",
  positions: null,
  only_matching_side: true,
  enabled: true,
};
const NOTHING: InfluenceRequest = { position: -1 } as InfluenceRequest;

function useInfluence(request: InfluenceRequest | null) {
  return useQuery({
    ...influenceQuery(request ?? NOTHING),
    enabled: request !== null,
    placeholderData: keepPreviousData,
  });
}

function effectsOf(items: readonly InfluenceItem[]): ReadonlyMap<string, number> {
  return new Map(items.flatMap((item) => (item.measured_effect === null ? [] : [[item.node, item.measured_effect]])));
}

import * as Popover from "@radix-ui/react-popover";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";

import { estimateQuery } from "@/api/explanations";
import { startJob, WITHOUT_A_MODEL, type JobRequest } from "@/api/jobs";
import { ErrorNote } from "@/components/error-note";
import { ExplainCost } from "@/components/explain-cost";
import { Segments } from "@/components/segments";
import { Select } from "@/components/select";
import { budgetOf } from "@/lib/explain-budget";

import { ExplainJobLine } from "./explain-job-line";

export interface ExplainButtonProps {
  component: string;
  dataset: string;
}

type Method = "rules" | "model";

const METHODS: { value: Method; text: string; title: string }[] = [
  { value: "rules", text: "by rules", title: "Token lookup and trigger graph; no language model, no cost" },
  { value: "model", text: "by a language model", title: "The endpoint that the server is configured with; it may cost money" },
];
const CANDIDATES = ["1", "3", "5"] as const;

/** Asks for an explanation of this one component: says what that takes, and starts it only when told to. */
export function ExplainButton({ component, dataset }: ExplainButtonProps) {
  return (
    <Popover.Root>
      <Popover.Trigger className="btn small plain">Explain</Popover.Trigger>
      <Popover.Portal>
        <Popover.Content className="pop stat define" sideOffset={6} collisionPadding={8} align="end">
          <ExplainOffer component={component} dataset={dataset} />
        </Popover.Content>
      </Popover.Portal>
    </Popover.Root>
  );
}

function ExplainOffer({ component, dataset }: ExplainButtonProps) {
  const client = useQueryClient();
  const [method, setMethod] = useState<Method>("rules");
  const [candidates, setCandidates] = useState<(typeof CANDIDATES)[number]>("3");
  const asked = { dataset, components: [component], candidates: Number(candidates), simulator: "json" as const };
  const isByModel = method === "model";
  const { data: estimate } = useQuery(estimateQuery(isByModel ? asked : null));
  const start = useMutation({
    mutationFn: () => startJob(requestOf(component, dataset, isByModel, asked.candidates, estimate && budgetOf(estimate))),
    onSuccess: () => client.invalidateQueries({ queryKey: ["jobs"] }),
  });
  return (
    <div className="explainoffer">
      <p>
        <b>Explain {component}</b>
      </p>
      <Segments label="Method" value={method} options={METHODS} onChange={(next) => { setMethod(next); start.reset(); }} />
      {isByModel ? (
        <>
          <span className="row">
            <Select
              label="Phrases to choose from"
              value={candidates}
              options={CANDIDATES.map((value) => ({ value, text: value === "1" ? "1 phrase" : `best of ${value} phrases` }))}
              onChange={setCandidates}
            />
          </span>
          <ExplainCost request={asked} />
        </>
      ) : (
        <p className="mid">
          Token lookup and a trigger graph, made by running the served model on its exemplars. No language model is asked,
          so it costs nothing; it takes seconds.
        </p>
      )}
      {start.data ? (
        <ExplainJobLine id={start.data.id} component={component} />
      ) : (
        <p>
          <button
            type="button"
            className="btn small primary"
            disabled={start.isPending || (isByModel && !estimate?.is_configured)}
            onClick={() => {
              start.mutate();
            }}
          >
            Start
          </button>
        </p>
      )}
      {start.error && <ErrorNote error={start.error} />}
    </div>
  );
}

function requestOf(
  component: string,
  dataset: string,
  isByModel: boolean,
  candidates: number,
  budget: number | undefined,
): JobRequest {
  const how = isByModel ? { methods: ["llm" as const], candidates, max_tokens: budget ?? null } : {};
  const name = `${component}-${Date.now().toString(36)}`;
  return { kind: "explain", options: { ...WITHOUT_A_MODEL, ...how, dataset, name, components: [component] } };
}

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useRef, useState } from "react";

import { ApiError } from "@/api/errors";
import { estimateQuery } from "@/api/explanations";
import { codersQuery, datasetsQuery, type JobInfo, jobsQuery, startJob } from "@/api/jobs";
import { modelQuery } from "@/api/queries";
import type { ModelResponse } from "@/api/types";
import { ErrorNote } from "@/components/error-note";
import { ExplainCost } from "@/components/explain-cost";
import { budgetOf } from "@/lib/explain-budget";
import { useSettled } from "@/lib/use-settled";

import { FormField } from "./form-field";
import { costOf, defaultValues, fieldProblem, type FieldSpec, FIELDS, FORM_KINDS, type FormKind, type Problems, requestOf } from "./job-form";

const NAMES: Record<FormKind, string> = { collate: "Collate", train_sae: "Train", eval_sae: "Judge", explain: "Explain" };
const LEADS: Record<FormKind, string> = {
  collate: "Find what every neuron, head and latent responds to, over a text.",
  train_sae: "Train sparse autoencoders: latents that take the place of neurons or heads.",
  explain: "Say in words what components respond to, and score what is said; by rules, or by a language model.",
  eval_sae: "Measure on a text how much of the model a coder set keeps.",
};
const SITES = ["resid_delta_mlp", "resid_delta_attn", "mlp_post_act", "resid_pre", "resid_mid", "resid_post"];

type NewJobPanelProps = {
  kind: FormKind;
  onKind: (kind: FormKind) => void;
  onStarted: (job: JobInfo) => void;
};

/** What a new job shall do. */
export function NewJobPanel({ kind, onKind, onStarted }: NewJobPanelProps) {
  const { data: model } = useQuery(modelQuery());
  const { data: list } = useQuery(jobsQuery());
  return (
    <section className="panel newjob" aria-labelledby="new-job-title">
      <header>
        <h2 id="new-job-title">New job</h2>
        <span className="end">
          <span className="seg" role="group" aria-label="Kind of job">
            {FORM_KINDS.map((one) => (
              <button key={one} type="button" aria-pressed={one === kind} onClick={() => { onKind(one); }}>
                {NAMES[one]}
              </button>
            ))}
          </span>
        </span>
      </header>
      {model && list && (
        <JobForm key={kind} kind={kind} model={model} corpora={list.corpora} onStarted={onStarted} />
      )}
    </section>
  );
}

type JobFormProps = {
  kind: FormKind;
  model: ModelResponse;
  corpora: readonly string[];
  onStarted: (job: JobInfo) => void;
};

function JobForm({ kind, model, corpora, onStarted }: JobFormProps) {
  const queries = useQueryClient();
  const { data: coders } = useQuery(codersQuery());
  const { data: shelf } = useQuery(datasetsQuery());
  const [values, setValues] = useState(() => defaultValues(kind, model, corpora));
  const [problems, setProblems] = useState<Problems>({});
  const cost = costOf(kind, useSettled(values, 400));
  const { data: estimate } = useQuery(estimateQuery(cost));
  const form = useRef<HTMLFormElement>(null);
  const start = useMutation({
    mutationFn: startJob,
    onSuccess: onStarted,
    onError: (error) => {
      if (error instanceof ApiError) tell(fieldProblem(error.message, error.hint));
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });

  function tell(found: Problems) {
    setProblems(found);
    const first = FIELDS[kind].find(({ name }) => found[name]);
    form.current?.querySelector<HTMLElement>(`[name="${first?.name ?? ""}"]`)?.focus();
  }
  function onSubmit(event: FormEvent) {
    event.preventDefault();
    const read = requestOf(kind, values, model, estimate && budgetOf(estimate));
    tell("problems" in read ? read.problems : {});
    if ("request" in read) start.mutate(read.request);
  }
  function choicesOf(field: FieldSpec): readonly string[] {
    if (field.type === "choice") return field.options ?? [];
    if (field.type === "site") return SITES;
    if (field.type === "corpus") return corpora;
    if (field.type === "dataset") {
      return (shelf?.datasets ?? []).filter((set) => set.model === model.name).map(({ name }) => name);
    }
    const sets = coders?.coder_sets ?? [];
    return field.type === "text" ? [] : sets.filter((set) => set.model === model.name).map(({ name }) => name);
  }

  const isElsewhere = start.error && Object.keys(problems).length === 0;
  return (
    <form ref={form} className="pad jform" onSubmit={onSubmit} noValidate>
      <p className="mid">{LEADS[kind]}</p>
      {FIELDS[kind].map((field) => (
        <FormField
          key={field.name}
          field={field}
          value={values[field.name] ?? ""}
          problem={problems[field.name]}
          choices={choicesOf(field)}
          onChange={(value) => {
            setValues((old) => ({ ...old, [field.name]: value }));
            setProblems((old) => Object.fromEntries(Object.entries(old).filter(([name]) => name !== field.name)));
          }}
        />
      ))}
      {cost && <ExplainCost request={cost} />}
      {isElsewhere && <ErrorNote error={start.error} />}
      <p className="jsubmit">
        <button type="submit" className="btn primary" disabled={start.isPending || (cost !== null && !estimate?.is_configured)}>
          {NAMES[kind]}
        </button>
        <span className="note">Runs beside the model; one at a time.</span>
      </p>
    </form>
  );
}

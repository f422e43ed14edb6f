import { type FormEvent, useState } from "react";

import type { InterventionSpec, ModelResponse } from "@/api/types";
import { coderOf, latentCount } from "@/lib/bases";
import { type Component, componentOf, parseComponent, parseNode } from "@/lib/node";

import type { PageState } from "../page-state";
import { InterventionEditor } from "./intervention-editor";

type AddInterventionProps = { page: PageState; onDone: () => void };

/** A component (or a node, which brings its place), and what to do to it. */
export function AddIntervention({ page, onDone }: AddInterventionProps) {
  const [name, setName] = useState(page.ui.selected ?? "");
  const [spec, setSpec] = useState<InterventionSpec>(() => ablation(name));
  const problem = problemOf(name, page.model);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (problem !== null) return;
    page.actions.addIntervention(spec);
    onDone();
  }
  return (
    <form onSubmit={submit} className="contents">
      <label className="row">
        <span className="label">What</span>
        <input
          className="mono name"
          placeholder="attn_L9_9 or mlp_L3_117@5"
          spellCheck={false}
          autoComplete="off"
          value={name}
          aria-invalid={name !== "" && problem !== null}
          onChange={(event) => {
            setName(event.target.value);
            setSpec(ablation(event.target.value.trim()));
          }}
        />
      </label>
      {name !== "" && problem !== null && <p className="alert small">{problem}</p>}
      <InterventionEditor page={page} spec={spec} onChange={setSpec} />
      <p>
        <button type="submit" className="btn primary" disabled={problem !== null}>
          Add and run
        </button>
      </p>
    </form>
  );
}

/** A row that is chosen stands for its component everywhere; its place is one choice away. */
function ablation(name: string): InterventionSpec {
  const node = parseNode(name);
  return {
    kind: "ablate",
    component: componentOf(name),
    positions: node?.position === undefined || node.position === null ? null : [node.position],
    key_positions: node?.keyPosition === undefined || node.keyPosition === null ? null : [node.keyPosition],
    value: "zero",
  };
}

function problemOf(name: string, model: ModelResponse): string | null {
  const text = name.trim();
  const component = parseComponent(componentOf(text));
  if (!component) return "Write a head as attn_L9_9, a neuron as mlp_L3_117, a latent as mlp_ae_L3_117, or embed.";
  if (text.includes("@") && !parseNode(text)) return "Write a place as attn_L9_9@13:1 or mlp_L3_117@5.";
  if (component.layer !== null && component.layer >= model.n_layers) {
    return `${model.name} has layers 0 to ${model.n_layers - 1}.`;
  }
  const isCoded = component.kind === "latent" || component.kind === "error";
  const coder = isCoded ? coderOf(component, model.coders) : undefined;
  if (isCoded && !coder?.layers.includes(component.layer ?? -1)) {
    return `No coder of this server has ${text.split("@")[0] ?? text}.`;
  }
  const count = component.kind === "latent" ? latentCount(coder, component.layer) : countOf(component, model);
  if (count !== null && (component.index ?? 0) >= count) return `Layer ${component.layer} has 0 to ${count - 1}.`;
  return null;
}

function countOf({ kind }: Component, model: ModelResponse): number | null {
  if (kind === "attn") return model.n_heads;
  return kind === "mlp" ? model.d_mlp : null;
}

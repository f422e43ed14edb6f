/** The same question asked of the Python library, without a server. */
import type { CaseSpec, DebugRequest, InterventionSpec, TraceSpec } from "@/api/types";

import { pythonLiteral } from "@/lib/python-literal";

const CLASSES = { ablate: "Ablate", set: "Set", scale: "Scale", patch: "Patch" } as const;

/** `specs` is how each coder set that may be a basis is loaded. */
export function asLibrary(request: DebugRequest, model: string, specs: Record<string, string> = {}): string {
  const names = request.cases.length > 1 ? ["left", "right"] : ["case"];
  const bases = basesOf(request);
  const cases = request.cases.map((spec, place) => `${names[place]} = ${caseCall(spec, bases)}`);
  const sets = Object.values(bases).map((name) => `load_coder_set(${pythonLiteral(specs[name] ?? name)}, model.config)`);
  const body = `model = load_model(${pythonLiteral(model)})
investigation = Investigation(model${sets.length > 0 ? `, [${sets.join(", ")}]` : ""})
${cases.join("\n")}
table = investigation.debug([${names.join(", ")}], top_k=${request.top_k}${readOutNorm(request)})
print(table.to_pandas())
`;
  return `from neuron_explainer import ${importsOf(body).join(", ")}\n\n${body}`;
}

function importsOf(body: string): string[] {
  const names = ["Ablate", "Component", "Investigation", "Node", "NodeObjective", "Patch", "Scale", "Set", "load_coder_set", "load_model"];
  return names.filter((name) => new RegExp(`\\b${name}[(.]`).test(body));
}

function readOutNorm({ read_out_norm }: DebugRequest): string {
  return read_out_norm === "live" ? ', read_out_norm="live"' : "";
}

/** The bases that are a coder's, by the library's argument. */
function basesOf({ mlp_basis, attention_basis }: DebugRequest): Record<string, string> {
  return {
    ...(mlp_basis !== "neuron" && { mlp_basis }),
    ...(attention_basis !== "head" && { attention_basis }),
  };
}

function caseCall(spec: CaseSpec, bases: Record<string, string>): string {
  const named = Object.entries(bases).map(([argument, name]) => `${argument}=${pythonLiteral(name)}`);
  const fields = [...question(spec), ...edits(spec), ...trace(spec), ...named];
  return `investigation.case(\n${fields.map((field) => `    ${field},\n`).join("")})`;
}

function question(spec: CaseSpec): string[] {
  const fields = [pythonLiteral(spec.prompt)];
  if (spec.target_tokens.length > 0) fields.push(`target=${pythonLiteral(spec.target_tokens)}`);
  if (spec.distractor_tokens.length > 0) fields.push(`distractor=${pythonLiteral(spec.distractor_tokens)}`);
  if (spec.objective !== "logit_diff") fields.push(`objective=${pythonLiteral(spec.objective)}`);
  if (spec.position !== -1) fields.push(`position=${spec.position}`);
  return fields;
}

function edits({ interventions }: CaseSpec): string[] {
  const calls = interventions.map(editCall);
  return calls.length > 0 ? [`interventions=[${calls.join(", ")}]`] : [];
}

function editCall(spec: InterventionSpec): string {
  // Steering takes quantiles of a dataset, which the server looks up; the library is given their product.
  if (spec.kind === "steer") return `...  # steer ${spec.component}`;
  const fields = [`Component.parse(${pythonLiteral(spec.component)})`];
  if (spec.positions) fields.push(`positions=${tuple(spec.positions)}`);
  if (spec.key_positions) fields.push(`key_positions=${tuple(spec.key_positions)}`);
  if (spec.kind === "patch") {
    fields.push(`from_case=${spec.from_case}`);
    if (spec.from_positions) fields.push(`from_positions=${tuple(spec.from_positions)}`);
  } else fields.push(`value=${pythonLiteral(spec.value)}`);
  return `${CLASSES[spec.kind]}(${fields.join(", ")})`;
}

function tuple(items: readonly number[]): string {
  return `(${items.join(", ")}${items.length === 1 ? "," : ""})`;
}

/** A value trace judged by another trace nests; any other is a node and a way. */
function trace(spec: CaseSpec): string[] {
  if (!spec.trace) return [];
  const { node, through, downstream } = spec.trace;
  if (downstream) return [`trace=${nodeObjective(spec.trace, spec)}`];
  return [`trace=${pythonLiteral(node)}`, ...(through ? [`through=${pythonLiteral(through)}`] : [])];
}

function nodeObjective({ node, through, downstream }: TraceSpec, spec: CaseSpec): string {
  const fields = [`Node.parse(${pythonLiteral(node)})`];
  if (through) fields.push(pythonLiteral(through));
  if (downstream) fields.push(nodeObjective(downstream, spec));
  else if (through === "value") fields.push(`investigation.case(${question(spec).join(", ")}).objective`);
  return `NodeObjective(${fields.join(", ")})`;
}

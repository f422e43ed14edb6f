/** How an intervention reads: `attn_L23_3 ablate to zero at all positions`. */
import type { InterventionSpec } from "@/api/types";

import { formatMagnitude } from "./format";

export type Verb = InterventionSpec["kind"];

/** The words between the component's name and its value. */
export function verbWords(spec: InterventionSpec): string {
  switch (spec.kind) {
    case "ablate":
      return "ablate to";
    case "set":
      return "set to";
    case "scale":
      return "scale by";
    case "patch":
      return "patch from";
    case "steer":
      return `steer, ${spec.method} to`;
  }
}

export function valueWords(spec: InterventionSpec): string {
  switch (spec.kind) {
    case "ablate":
      return spec.value === "mean" ? "its mean" : "zero";
    case "set":
    case "scale":
      return formatMagnitude(spec.value);
    case "patch":
      return spec.from_case === 0 ? "the left prompt" : "the right prompt";
    case "steer":
      return `${formatMagnitude(spec.strength)}\u00d7 ${spec.side}`;
  }
}

export function placeWords({ positions, key_positions }: InterventionSpec): string {
  const from = positions ? listed(positions) : null;
  const to = key_positions ? listed(key_positions) : null;
  if (!from && !to) return "all positions";
  return to ? `${from ?? "all"} \u2192 ${to}` : (from ?? "");
}

function listed(positions: readonly number[]): string {
  const names = positions.map((position) => (position < 0 ? "last" : String(position)));
  return names.length > 4 ? `${names.slice(0, 3).join(", ")} and ${names.length - 3} more` : names.join(", ");
}

/** The same component and place with another verb, at the verb's plainest value. */
export function withVerb(spec: InterventionSpec, verb: Verb, activation: number | null): InterventionSpec {
  const { component, positions = null, key_positions = null } = spec;
  const where = { component, positions, key_positions };
  switch (verb) {
    case "ablate":
      return { kind: "ablate", ...where, value: "zero" };
    case "set":
      return { kind: "set", ...where, value: activation ?? 0 };
    case "scale":
      return { kind: "scale", ...where, value: 0.5 };
    case "patch":
      return { kind: "patch", ...where, from_case: 1, from_positions: null };
    case "steer":
      return { kind: "steer", ...where, strength: 1, method: "set", side: "positive" };
  }
}

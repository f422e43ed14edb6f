/** A concept as one line of the URL: `name~set~0.5~everything~on~mlp_L3_117+ mlp_L4_2-`. */
import type { ConceptSpec } from "@/api/types";
import { parseComponent } from "@/lib/node";

const METHODS = ["set", "add", "scale"] as const;
const WHERES = ["everything", "prompt", "generated"] as const;

export function conceptToText(concept: ConceptSpec): string {
  const members = concept.members.map(({ component, side }) => component + (side === "negative" ? "-" : "+"));
  const name = concept.name.replaceAll("~", " ");
  const where = concept.positions ? `at ${concept.positions.join(",")}` : concept.where;
  return [name, concept.method, concept.strength, where, concept.enabled ? "on" : "off", members.join(" ")].join("~");
}

/** Null when it cannot be read. */
export function textToConcept(text: string): ConceptSpec | null {
  const [name, methodText, strengthText, whereText, enabled, memberText, ...rest] = text.split("~");
  const method = METHODS.find((known) => known === methodText);
  const strength = Number(strengthText);
  const positions = readPositions(whereText ?? "");
  const where = WHERES.find((known) => known === whereText);
  const members = (memberText ?? "").split(" ").flatMap(readMember);
  if (rest.length > 0 || !method || !Number.isFinite(strength) || (!where && !positions)) return null;
  if (members.length === 0) return null;
  return {
    name: name ?? "",
    members,
    strength,
    method,
    where: where ?? "everything",
    positions,
    only_matching_side: true,
    enabled: enabled !== "off",
  };
}

function readPositions(text: string): number[] | null {
  return /^at \d{1,7}(,\d{1,7})*$/.test(text) ? text.slice(3).split(",").map(Number) : null;
}

function readMember(text: string): ConceptSpec["members"] {
  const component = text.slice(0, -1);
  const side = { "+": "positive", "-": "negative" }[text.slice(-1)] as "positive" | "negative" | undefined;
  return side && parseComponent(component) ? [{ component, side }] : [];
}

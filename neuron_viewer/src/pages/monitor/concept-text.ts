/** A concept as one line of the URL: `name~set~0.5~everything~on~mlp_L3_117+ mlp_L4_2-`. */
import type { ConceptSpec } from "@/api/types";
import { parseComponent } from "@/lib/node";

const METHODS = ["set", "add", "scale"] as const;
const STEERED = new Set(["mlp", "attn", "latent"]);
const WHERES = ["everything", "prompt", "generated"] as const;

export function conceptToText(concept: ConceptSpec): string {
  const members = concept.members.map(({ component, side }) => component + (side === "negative" ? "-" : "+"));
  const name = concept.name.replaceAll("~", " ");
  const where = concept.positions ? `at ${concept.positions.join(",")}` : concept.where;
  return [name, concept.method, concept.strength, where, concept.enabled ? "on" : "off", members.join(" ")].join("~");
}

export type ReadConcept = {
  /** Null when nothing of it can be read. */
  concept: ConceptSpec | null;
  /** What could not be read: a member, or the whole line. */
  unread: string[];
};

export function textToConcept(text: string): ReadConcept {
  const [name, methodText, strengthText, whereText, enabled, memberText] = text.split("~");
  const method = METHODS.find((known) => known === methodText);
  const positions = readPositions(whereText ?? "");
  const where = WHERES.find((known) => known === whereText);
  if (whyNoConcept(text) !== null || !method) return { concept: null, unread: [text] };
  const listed = membersIn(memberText);
  const concept: ConceptSpec = {
    name: name ?? "",
    members: listed.flatMap(readMember),
    strength: Number(strengthText),
    method,
    where: where ?? "everything",
    positions,
    only_matching_side: true,
    enabled: enabled !== "off",
  };
  return { concept, unread: listed.filter((member) => whyNoMember(member) !== null) };
}

/** Why a member, or a whole concept, could not be read; null where it can. */
export function whyUnread(text: string): string | null {
  return text.includes("~") ? whyNoConcept(text) : whyNoMember(text);
}

function whyNoConcept(text: string): string | null {
  const parts = text.split("~");
  const [, method, strength, where, , memberText] = parts;
  if (parts.length !== 6) return `it has ${parts.length} parts; name, method, strength, place, on or off, and members are 6`;
  if (!METHODS.some((known) => known === method)) return `the method is one of ${METHODS.join(", ")}`;
  if (strength?.trim() === "" || !Number.isFinite(Number(strength))) return "the strength is no number";
  if (!WHERES.some((known) => known === where) && !readPositions(where ?? "")) {
    return `the place is one of ${WHERES.join(", ")}, or "at" with token indices`;
  }
  return membersIn(memberText).some((member) => whyNoMember(member) === null) ? null : "it has no member that can be read";
}

/** The server steers what has a side. */
function whyNoMember(text: string): string | null {
  if (!/[+-]$/.test(text)) return "it ends in no side, + or -";
  const component = parseComponent(text.slice(0, -1));
  if (!component) return "it is no component, such as mlp_L3_117 or attn_L2_5";
  return STEERED.has(component.kind) ? null : "only neurons, heads and latents can be steered";
}

function readPositions(text: string): number[] | null {
  return /^at \d{1,7}(,\d{1,7})*$/.test(text) ? text.slice(3).split(",").map(Number) : null;
}

function membersIn(text: string | undefined): string[] {
  return (text ?? "").split(" ").filter((member) => member !== "");
}

function readMember(text: string): ConceptSpec["members"] {
  if (whyNoMember(text) !== null) return [];
  return [{ component: text.slice(0, -1), side: text.endsWith("-") ? "negative" : "positive" }];
}

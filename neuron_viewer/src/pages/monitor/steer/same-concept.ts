/** Which concept in force is the one that a row of a list would steer. */
import type { ConceptSpec } from "@/api/types";

type Named = Pick<ConceptSpec, "name" | "members">;

/**
 * The one of this name that has the same members, or some of them: a sweep may have left the first few. Another
 * token's concept may have the same name, and so do the two sides of a component.
 */
export function sameConcept<Concept extends Named>(concepts: readonly Concept[], wanted: Named): Concept | undefined {
  return concepts.find(({ name, members }) => name === wanted.name && isPart(members, wanted.members));
}

function isPart(members: Named["members"], all: Named["members"]): boolean {
  const known = new Set(all.map(({ component, side }) => `${component} ${side}`));
  return members.every(({ component, side }) => known.has(`${component} ${side}`));
}

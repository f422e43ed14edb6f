/** What the table of coders lists: the sets on the server's disk, then what is served in a form that has no card. */
import type { CoderSetInfo } from "@/api/jobs";
import type { ModelResponse } from "@/api/types";

type ServedCoder = ModelResponse["coders"][number];
export type ListedCoders = { set: CoderSetInfo; isServed: boolean };

/** A name is served once: where two folders have it, the first is it, as in the server's own list. */
export function listedCoders(
  sets: readonly CoderSetInfo[],
  model: Pick<ModelResponse, "name" | "coders"> | undefined,
): { listed: ListedCoders[]; cardless: ServedCoder[] } {
  const left = new Map((model?.coders ?? []).map((one) => [one.name, one]));
  const listed = sets.map((set) => ({ set, isServed: set.model === model?.name && left.delete(set.name) }));
  return { listed, cardless: [...left.values()] };
}

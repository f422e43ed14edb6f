import { useQuery } from "@tanstack/react-query";

import { labelsQuery } from "@/api/explanations";
import type { Explanation } from "@/api/types";

import { usePageCoder } from "../page-coder";

const NONE: readonly Explanation[] = [];

/**
 * The best explanation of each side, which is kept apart from records: there may be one where no dataset is. None
 * where they are not asked for; null until they are there.
 */
export function useStoredExplanations(component: string, isAsked: boolean): readonly Explanation[] | null {
  const coder = usePageCoder();
  const query = useQuery({ ...labelsQuery([component], coder === null ? [] : [coder]), enabled: isAsked, retry: false });
  if (isAsked && query.isPending) return null;
  return (isAsked && query.data?.labels[component]) || NONE;
}

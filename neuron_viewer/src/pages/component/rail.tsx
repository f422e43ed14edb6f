import { useQuery } from "@tanstack/react-query";

import { activationsQuery, componentTokensQuery } from "@/api/queries";
import { ErrorBoundary } from "@/components/error-boundary";

import type { Indexed } from "./bounds";
import { DistributionPanel } from "./distribution/distribution-panel";
import { peakOf, tokenValues } from "./token-values";
import type { RecordState } from "./use-record";
import { WeightLists } from "./weight-lists";

export interface RailProps {
  component: Indexed;
  record: RecordState;
  /** The text whose strongest value is marked in the histogram, and what to call it. */
  text: string;
  name: string;
}

/** What does not depend on an excerpt: the distribution, what the weights do, what is alike. */
export function Rail({ component, record, text, name }: RailProps) {
  const isHead = component.kind === "attn";
  const tokens = useQuery(componentTokensQuery(component.name));
  const value = useStrongest(component, text);
  return (
    <>
      {record.state === "loaded" && (
        <ErrorBoundary name="Distribution">
          <DistributionPanel record={record.record} isHead={isHead} prompt={value === null ? null : { value, name }} />
        </ErrorBoundary>
      )}
      <ErrorBoundary name="Token lists">
        <WeightLists query={tokens} isHead={isHead} />
      </ErrorBoundary>
    </>
  );
}

/** The strongest value on a text. A head's pattern is in other units than its record, so it has none. */
function useStrongest({ name, kind }: Indexed, text: string): number | null {
  const query = useQuery({ ...activationsQuery(name, [text]), enabled: text !== "" && kind !== "attn" });
  const result = text === "" || kind === "attn" ? undefined : query.data?.results[0];
  const values = result ? tokenValues(result, 0) : [];
  const peak = peakOf(values);
  return peak === null ? null : (values[peak] ?? null);
}

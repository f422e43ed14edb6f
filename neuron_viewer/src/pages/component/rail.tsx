import { useQuery } from "@tanstack/react-query";

import { componentTokensQuery } from "@/api/queries";
import { ErrorBoundary } from "@/components/error-boundary";
import type { Component } from "@/lib/node";

import { DistributionPanel } from "./distribution/distribution-panel";
import { usePageCoder } from "./page-coder";
import { SimilarPanel } from "./similar/similar-panel";
import { peakOf, tokenValues } from "./token-values";
import type { RecordState } from "./use-record";
import type { YourTextState } from "./use-your-text";
import { WeightLists } from "./weight-lists";

export interface RailProps {
  component: Component;
  record: RecordState;
  own: YourTextState;
}

/** What does not depend on an excerpt: the distribution, what the weights do, what is alike. */
export function Rail({ component, record, own }: RailProps) {
  const tokens = useQuery(componentTokensQuery(component.name, usePageCoder()));
  return (
    <>
      {record.state === "loaded" && (
        <ErrorBoundary name="Distribution">
          <DistributionPanel record={record.record} isHead={own.isHead} prompt={strongestOn(own)} />
        </ErrorBoundary>
      )}
      <ErrorBoundary name="Token lists">
        <WeightLists query={tokens} isHead={own.isHead} />
      </ErrorBoundary>
      <ErrorBoundary name="Similar components">
        <SimilarPanel component={component.name} />
      </ErrorBoundary>
    </>
  );
}

/**
 * The strongest value on the Debugger's prompt, or on your text where there is none. A head's pattern is in other
 * units than its record, so it has none.
 */
function strongestOn({ isHead, prompt, carried, result }: YourTextState): { value: number; name: string } | null {
  const shown = prompt === null ? result : carried.data?.results[0];
  if (isHead || !shown) return null;
  const values = tokenValues(shown, 0);
  const peak = peakOf(values);
  const value = peak === null ? null : values[peak];
  return value == null ? null : { value, name: prompt === null ? "your text" : "your prompt" };
}

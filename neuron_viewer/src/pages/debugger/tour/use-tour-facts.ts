import { useQuery } from "@tanstack/react-query";

import { debugQuery, measureQuery, nodeTokensQuery } from "@/api/queries";
import type { DebugRequest } from "@/api/types";
import { type Question, toRequest } from "@/lib/question";

import type { PageState } from "../page-state";
import type { TourFacts } from "./step-content";
import { type Head, isTourQuestion, plainQuestion, strongestHead, tourQuestion } from "./steps";

/** What the card says: the page's answer, and the head of the question without edits, which the page has asked before. */
export function useTourFacts({ model, question, ui, result }: PageState): TourFacts {
  const request = toRequest(plainQuestion(question));
  const { data: plain, isPending } = useQuery(debugQuery(request));
  const head = plain ? strongestHead(plain.response) : null;
  const { writes, measured } = useHead(head, request, question);
  const isOther = !isTourQuestion(question, tourQuestion(model, question));
  return {
    question,
    otherExample: isOther ? (model.examples[0]?.name ?? null) : null,
    answered: result.stale || result.error ? null : result.answered,
    error: result.error?.message ?? null,
    head,
    isHeadUnknown: isPending,
    isSelected: head !== null && ui.selected === head.node,
    writes,
    measured,
  };
}

/** What the head writes, and its measured effect at this one pair of tokens. */
function useHead(head: Head | null, request: DebugRequest, { mlp_basis, attention_basis }: Question) {
  const [spec] = request.cases;
  const about = { case: spec as NonNullable<typeof spec>, nodes: [head?.node ?? ""] };
  const enabled = head !== null && spec !== undefined && request.cases.length === 1;
  const { data: tokens } = useQuery({ ...nodeTokensQuery({ ...about, n: 3 }), enabled });
  const { data: measures } = useQuery({
    ...measureQuery({ ...about, to: "zero", mlp_basis, attention_basis }),
    enabled,
  });
  return {
    writes: tokens?.nodes[0] ?? null,
    measured: measures?.effects[0]?.measured_effect ?? null,
  };
}

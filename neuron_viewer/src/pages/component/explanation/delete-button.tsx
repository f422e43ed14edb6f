import { useMutation, useQueryClient } from "@tanstack/react-query";

import { deleteExplanation } from "@/api/explanations";
import type { Explanation } from "@/api/types";
import { ErrorNote } from "@/components/error-note";

import { usePageCoder } from "../page-coder";

export interface DeleteButtonProps {
  component: string;
  explanation: Explanation;
}

/** Beside an explanation that somebody wrote: forgets it. Nothing beside those that were made by rules or models. */
export function DeleteButton({ component, explanation }: DeleteButtonProps) {
  const client = useQueryClient();
  const coder = usePageCoder();
  const forget = useMutation({
    mutationFn: () => deleteExplanation(component, explanation.id, coder),
    onSuccess: () =>
      Promise.all(["record", "labels", "search"].map((name) => client.invalidateQueries({ queryKey: [name] }))),
  });
  if (!explanation.explainer.startsWith("human:")) return null;
  return (
    <>
      <button
        type="button"
        className="btn small plain"
        disabled={forget.isPending}
        aria-label={`Delete: ${explanation.text}`}
        onClick={() => {
          forget.mutate();
        }}
      >
        {forget.isPending ? "Deleting" : "Delete"}
      </button>
      {forget.error && <ErrorNote error={forget.error} />}
    </>
  );
}

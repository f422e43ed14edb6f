import { useMutation, useQueryClient } from "@tanstack/react-query";

import { cancelJob, deleteJob, resumeJob } from "@/api/jobs";

export type JobAction = "cancel" | "resume" | "delete";

const ACTIONS: Record<JobAction, (job: string) => Promise<unknown>> = {
  cancel: cancelJob,
  resume: resumeJob,
  delete: deleteJob,
};

/** Acts on a job; the list is read anew after, whatever came of it. */
export function useJobActions(job: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (action: JobAction) => ACTIONS[action](job),
    onSettled: () => queries.invalidateQueries({ queryKey: ["jobs"] }),
  });
}

/** The page's state when a ready experiment is run. */
import type { GeneratedToken, MonitorExample } from "@/api/types";

import { DEFAULT_SAMPLING, emptyState, type Explained, type MonitorState, NOTHING_EXPLAINED } from "../monitor-state";

/** The question with its concept in force; nothing is said or explained yet. */
export function experimentState(experiment: MonitorExample): MonitorState {
  const { prompt, is_chat: isChat, concept, members, strength } = experiment;
  return {
    ...emptyState(isChat),
    prompt: isChat ? null : prompt,
    messages: isChat ? [{ role: "user", content: prompt }] : [],
    sampling: { ...DEFAULT_SAMPLING, max_new_tokens: experiment.max_new_tokens },
    concepts: [
      {
        name: concept,
        members,
        strength,
        method: "set",
        where: "everything",
        positions: null,
        only_matching_side: true,
        enabled: true,
      },
    ],
  };
}

/** What is explained once the reply is there. */
export function explanationIn(
  { explained, distractor }: MonitorExample,
  written: readonly GeneratedToken[],
): Explained {
  const token = written[explained];
  if (!token) return NOTHING_EXPLAINED;
  return { position: token.position, of: "logit_diff", token: null, distractor };
}

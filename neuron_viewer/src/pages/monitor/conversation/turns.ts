/** The tokens of a conversation, cut into what each side said. */
import type { TokenStatistics } from "@/api/types";

export type Turn = {
  who: "text" | "template" | "system" | "you" | "model";
  /** Tokens, with their index in the whole text. */
  tokens: { at: number; token: TokenStatistics }[];
};

const WHO = { prompt: "text", template: "template", system: "system", user: "you", assistant: "model", reply: "model" } as const;

/** What was said, turn by turn. The chat template's own tokens stand in no turn, unless they are to be shown. */
export function turnsOf(tokens: readonly TokenStatistics[], showsTemplate = false): Turn[] {
  const turns: Turn[] = [];
  let last: string | null = null;
  tokens.forEach((token, at) => {
    const { role, message } = token;
    if (role === "template" && !showsTemplate) return;
    const key = `${role} ${message}`;
    if (key !== last) turns.push({ who: WHO[role], tokens: [] });
    last = key;
    turns.at(-1)?.tokens.push({ at, token });
  });
  return turns;
}

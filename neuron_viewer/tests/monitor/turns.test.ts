import { describe, expect, it } from "vitest";

import type { TokenStatistics } from "@/api/types";
import { turnsOf } from "@/pages/monitor/conversation/turns";
import { changeBySteering } from "@/pages/monitor/conversation/compare-view";
import { countByLayer } from "@/pages/monitor/concepts/layer-bars";
import { verdictOf } from "@/pages/monitor/concepts/verdict";
import { sweepSizes } from "@/pages/monitor/steer/sweep-sizes";

function token(text: string, role: TokenStatistics["role"], message: number | null = null): TokenStatistics {
  return { id: 0, text, role, message, logprob: -1, rank: 0, top: [] };
}

const CHAT = [
  token("<|im_start|>", "template"),
  token("Hi", "user", 0),
  token(" there", "user", 0),
  token("<|im_end|>", "template"),
  token("Hello", "assistant", 1),
  token("Why", "user", 2),
  token("?", "user", 2),
  token("Be", "reply"),
  token("cause", "reply"),
  token("<|im_end|>", "reply"),
];

describe("turns", () => {
  it("follow the messages, and leave the template's tokens out", () => {
    const turns = turnsOf(CHAT);
    expect(turns.map(({ who }) => who)).toEqual(["you", "model", "you", "model"]);
    expect(turns.map(({ tokens }) => tokens.map(({ at }) => at))).toEqual([[1, 2], [4], [5, 6], [7, 8, 9]]);
  });

  it("hold every token when the template is shown", () => {
    const turns = turnsOf(CHAT, true);
    expect(turns.flatMap(({ tokens }) => tokens.map(({ at }) => at))).toEqual(CHAT.map((_, at) => at));
    expect(turns[0]?.who).toBe("template");
  });
});

describe("steering figures", () => {
  const compared = { id: 1, text: "a", position: 0, rank: 0, top: [], logprob: -1, other_logprob: -3 };

  it("count a change toward what is likelier when steered", () => {
    expect(changeBySteering(compared, true)).toBe(2);
    expect(changeBySteering(compared, false)).toBe(-2);
  });

  it("sweep all members, then halves", () => {
    expect(sweepSizes(28)).toEqual([28, 14, 7, 4]);
    expect(sweepSizes(2)).toEqual([2, 1]);
    expect(sweepSizes(1)).toEqual([1]);
  });

  it("count members by layer", () => {
    expect(countByLayer([0, 2, 2, 9], 4)).toEqual([1, 0, 2, 0]);
  });

  it("say when chance would do as well", () => {
    const controls = { effects: [0.1, 0.2], stronger_than: 1, p_value: 0.6, better_than_chance: false };
    expect(verdictOf(controls)).toEqual({ text: "no better than chance", isWeak: true });
    expect(verdictOf({ ...controls, stronger_than: 2, better_than_chance: true })?.text).toBe("stronger than 2 of 2");
    expect(verdictOf(null)).toBeNull();
  });
});

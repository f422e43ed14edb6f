import { describe, expect, it } from "vitest";

import { conceptToText, textToConcept, whyUnread } from "@/pages/monitor/concept-text";
import { explainedPart, generateRequest, keptOf } from "@/pages/monitor/conversation-request";
import { conversationCurl, conversationJson, conversationPython } from "@/pages/monitor/export/conversation-export";
import {
  DEFAULT_LISTING,
  differing,
  emptyState,
  listingBefore,
  readState,
  writeState,
  type MonitorState,
} from "@/pages/monitor/monitor-state";

const DAYS = {
  name: "days of the week",
  members: [
    { component: "mlp_L3_117", side: "positive" as const },
    { component: "mlp_L4_2", side: "negative" as const },
  ],
  strength: 0.5,
  method: "set" as const,
  where: "generated" as const,
  positions: null,
  only_matching_side: true,
  enabled: false,
};

const CHAT: MonitorState = {
  prompt: null,
  messages: [
    { role: "system", content: "Be brief." },
    { role: "user", content: "Which is bigger, 9.9 or 9.11? & why" },
    { role: "assistant", content: "9.11" },
    { role: "user", content: "Sure?" },
  ],
  reply: [0, 35, 36, 49151],
  kept: 2,
  sampling: { temperature: 0.7, top_p: 0.9, seed: 12, max_new_tokens: 20 },
  madeWith: { temperature: 0.7, top_p: 0.9, seed: 12, max_new_tokens: 20 },
  explained: { position: 31, of: "logit_diff", token: " 9", distractor: 315 },
  listing: { by: "activation", kind: "mlp", side: "negative", layers: [0, 3], tokens: [4, 9], text: "day", minScore: 0.4 },
  grouping: { cut: 0.45, min_members: 4 },
  concepts: [DAYS],
  unread: [],
  sweep: { concept: { ...DAYS, method: "add" }, position: 30, token: " 9" },
};

const again = (state: MonitorState, isChat: boolean) =>
  readState(new URLSearchParams(writeState(state).toString()), isChat);

describe("the state in the URL", () => {
  it("comes back as it was, messages in order", () => {
    expect(again(CHAT, true)).toEqual(CHAT);
  });

  it("goes on from where a reply was branched, and from nothing where it was not", () => {
    expect(generateRequest(CHAT, keptOf(CHAT)).prefix_tokens).toEqual([0, 35]);
    expect(keptOf({ ...CHAT, kept: 0 })).toEqual([]);
    const short = new URLSearchParams({ p: "a", r: "1.2", kept: "9" });
    expect(readState(short, false).kept).toBe(2);
  });

  it("comes back from a text too, with white space and marks", () => {
    const text = { ...emptyState(false), prompt: " <b>one</b> & \u00e9\n" };
    expect(again(text, false)).toEqual(text);
  });

  it("is empty where everything is at its default", () => {
    expect(writeState(emptyState(true)).toString()).toBe("");
    expect(again(emptyState(true), true)).toEqual(emptyState(true));
  });

  it("keeps the settings that made the reply, where they have changed since", () => {
    const changed = { ...CHAT, sampling: { ...CHAT.sampling, temperature: 0, seed: 3 } };
    expect(again(changed, true)).toEqual(changed);
    expect(writeState(CHAT).has("made")).toBe(false);
    expect(differing(changed)).toEqual(["temperature", "seed"]);
    expect(readState(new URLSearchParams("u=a&r=1&temp=1&made=1~~2~3"), true).madeWith.temperature).toBe(1);
    expect(writeState({ ...changed, reply: [], kept: 0 }).has("made")).toBe(false);
  });

  it("exports the settings that made the reply, and writes the next one with those that are set", () => {
    const changed = { ...CHAT, sampling: { ...CHAT.sampling, temperature: 0, seed: 3 } };
    expect(JSON.parse(conversationJson(changed, "m"))).toMatchObject(CHAT.sampling);
    expect(conversationCurl(changed, "")).toContain('"seed": 12');
    expect(conversationPython(changed, "")).toContain('"seed": 12');
    expect(generateRequest(changed, [])).toMatchObject({ temperature: 0, seed: 3 });
  });

  it("drops what it cannot read", () => {
    const state = readState(
      new URLSearchParams("r=x.!!&temp=hot&top_p=7&on=-2&tok=x&of=luck&in=3&from=9-2&cut=9&least=0&score=high&kinds=cats"),
      true,
    );
    expect(state).toEqual({ ...emptyState(true), listing: { ...DEFAULT_LISTING, tokens: [2, 9] } });
  });

  it("shares with the Debugger's question nothing but the prompt", () => {
    const others = ["t", "d", "obj", "at", "i", "tr", "mlp", "attn", "k", "norm", "sel", "kind", "layers", "tokens", "sort"];
    const keys = [...writeState({ ...CHAT, prompt: "x", messages: [] }).keys()];
    expect(keys.filter((key) => others.includes(key))).toEqual([]);
  });
});

describe("a concept as text", () => {
  it("keeps members, sides and places", () => {
    expect(textToConcept(conceptToText(DAYS))).toEqual({ concept: DAYS, unread: [] });
    const placed = { ...DAYS, positions: [3, 4], where: "everything" as const };
    expect(textToConcept(conceptToText(placed))).toEqual({ concept: placed, unread: [] });
  });

  it("keeps the members that can be read, and says of the others why not", () => {
    const { concept, unread } = textToConcept("days~set~1~everything~on~mlp_L3_117+ mlp_L3_118 cat- embed+");
    expect(concept?.members).toEqual([{ component: "mlp_L3_117", side: "positive" }]);
    expect(unread).toEqual(["mlp_L3_118", "cat-", "embed+"]);
    expect(unread.map(whyUnread)).toEqual([
      expect.stringContaining("no side"),
      expect.stringContaining("no component"),
      expect.stringContaining("only neurons, heads and latents"),
    ]);
  });

  it.each([
    ["days~set~1~everything~on", "5 parts"],
    ["days~set~1~everything~on~mlp_L3_117", "no member"],
    ["days~push~1~everything~on~mlp_L3_117+", "set, add, scale"],
    ["days~set~much~everything~on~mlp_L3_117+", "no number"],
    ["days~set~~everything~on~mlp_L3_117+", "no number"],
    ["days~set~1~nowhere~on~mlp_L3_117+", "token indices"],
  ])("%s is not read, and it is said why", (text, why) => {
    expect(textToConcept(text)).toEqual({ concept: null, unread: [text] });
    expect(whyUnread(text)).toContain(why);
  });

  it("is still said to be unread when something else of the link changes", () => {
    const state = readState(new URLSearchParams("c=days~set~1~everything~on~mlp_L3_117%2B+cat-&c=a~b~c"), true);
    expect(state.concepts).toHaveLength(1);
    expect(state.unread).toEqual(["cat-", "a~b~c"]);
    expect(again({ ...state, kept: 0 }, true)).toEqual(state);
  });
});

describe("the range of tokens", () => {
  it("is asked about up to the explained token", () => {
    expect(explainedPart(CHAT, 7, 30)).toMatchObject({ positions: [4, 5, 6], layers: [0, 1, 2, 3] });
    expect(explainedPart(CHAT, 7, 2)).toMatchObject({ layers: [0, 1] });
  });

  it("is dropped where nothing of it comes before that", () => {
    expect(listingBefore(CHAT.listing, 5)).toBe(CHAT.listing);
    expect(listingBefore(CHAT.listing, 4)).toEqual({ ...CHAT.listing, tokens: null });
    expect(explainedPart(CHAT, 4, 30)).toMatchObject({ positions: null });
  });
});

import { expect, it } from "vitest";

import { readQuestion, readUi } from "@/lib/url-state";
import { debuggerSearch } from "@/lib/debugger-link";

const search = "?p=A+b&t=+c&d=+d&text=my+own&sel=embed%401";

it("goes back to the question with this component's rows in view", () => {
  const params = new URLSearchParams(debuggerSearch(search, "attn_L0_1", null));
  expect(readQuestion(params)?.left).toMatchObject({
    prompt: "A b",
    target_tokens: [" c"],
    interventions: [],
  });
  expect(readUi(params)).toMatchObject({ selected: null, filters: { text: "attn_L0_1" } });
  expect(params.has("text")).toBe(false);
});

it("adds the ablation once", () => {
  const once = debuggerSearch(search, "attn_L0_1", "ablate");
  expect(readQuestion(new URLSearchParams(once))?.left.interventions).toHaveLength(1);
  expect(debuggerSearch(once, "attn_L0_1", "ablate")).toBe(once);
});

it("takes a bare prompt, and starts afresh where there is none", () => {
  expect(new URLSearchParams(debuggerSearch("?prompt=A+b", "attn_L0_1", null)).get("p")).toBe("A b");
  expect(debuggerSearch("", "attn_L0_1", "ablate")).toBe("");
});

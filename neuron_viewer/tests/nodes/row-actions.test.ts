import { describe, expect, it } from "vitest";

import type { DebugRequest } from "@/api/types";
import { ablateSpec, actionsFor, patchSpec, scaleSpec, traceSpec } from "@/pages/debugger/nodes/row-actions";

import { pair, row } from "./rows";

const head = row("attn_L9_3@3:1", 1);
const request = (...prompts: string[]) => ({ cases: prompts.map((prompt) => ({ prompt })) }) as DebugRequest;

describe("what a row offers", () => {
  it("traces heads through their inputs and neurons and latents as they are", () => {
    expect(actionsFor(head, request("a")).trace).toEqual(["query", "key", "query_and_key", "value"]);
    expect(actionsFor(row("mlp_L2_7@1", 1), request("a")).trace).toBe("whole");
    expect(actionsFor(row("embed@1", 1), request("a")).trace).toBeNull();
  });

  it("leaves the biases alone", () => {
    expect(actionsFor(row("bias", 1), request("a", "b"))).toMatchObject({
      ablate: false,
      patch: false,
      scale: false,
      trace: null,
    });
  });

  it("patches from another prompt only, not from the same one unedited", () => {
    expect(actionsFor(head, request("a", "b")).patch).toBe(true);
    expect(actionsFor(head, request("a", "a")).patch).toBe(false);
    expect(actionsFor(head, request("a")).patch).toBe(false);
  });
});

describe("what an action asks for", () => {
  it("ablates everywhere, or at the row's own pair", () => {
    const spec = { kind: "ablate", component: "attn_L9_3", value: "zero" };
    expect(ablateSpec(head, "everywhere")).toEqual({ ...spec, positions: null, key_positions: null });
    expect(ablateSpec(head, "here")).toEqual({ ...spec, positions: [3], key_positions: [1] });
  });

  it("ablates an embedding at its own token unless told otherwise", () => {
    expect(actionsFor(row("embed@1", 1), request("a")).where).toBe("here");
  });

  it("scales", () => {
    expect(scaleSpec(row("mlp_L2_7@1", 1), "here", 0.5)).toEqual({
      kind: "scale",
      component: "mlp_L2_7",
      positions: [1],
      key_positions: null,
      value: 0.5,
    });
  });

  it("patches position by position, aligned at the ends of unequal prompts", () => {
    expect(patchSpec(head, "everywhere", [5, 5])).toMatchObject({
      positions: null,
      from_case: 1,
      from_positions: null,
    });
    expect(patchSpec(head, "here", [5, 7])).toMatchObject({
      positions: [3],
      key_positions: null,
      from_positions: [5],
    });
    expect(patchSpec(head, "everywhere", [5, 3])).toMatchObject({
      positions: [2, 3, 4],
      from_positions: [0, 1, 2],
    });
  });

  it("judges a value trace by what is explained now", () => {
    const current = { node: "mlp_L20_1@4", through: null, downstream: null };
    expect(traceSpec(head, "value", current).downstream).toBe(current);
    expect(traceSpec(head, "query", current)).toEqual({
      node: head.node,
      through: "query",
      downstream: null,
    });
  });
});

describe("a node that only the right prompt has", () => {
  it("is told apart from the left's of the same name", () => {
    const [left, right] = [pair("attn_L9_3@3:1", 1, 2), pair("attn_L9_3@3:1", null, 2)];
    expect(left.id).not.toBe(right.id);
    expect(right.only).toBe("right");
  });

  it("offers what the left case can do without it", () => {
    const offered = actionsFor(pair("attn_L9_3@3:1", null, 2), request("a", "b"));
    expect(offered).toMatchObject({ ablate: true, scale: true, patch: false, here: false, trace: null });
    expect(actionsFor(pair("embed@1", null, 2), request("a", "b")).ablate).toBe(false);
  });
});

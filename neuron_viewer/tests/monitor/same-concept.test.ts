import { expect, test } from "vitest";

import { sameConcept } from "@/pages/monitor/steer/same-concept";

const plus = { component: "mlp_L3_117", side: "positive" as const };
const minus = { component: "mlp_L3_117", side: "negative" as const };
const other = { component: "attn_L4_2", side: "positive" as const };

test("tells the two sides of a component apart", () => {
  const concepts = [{ name: "mlp_L3_117", members: [plus] }];
  expect(sameConcept(concepts, { name: "mlp_L3_117", members: [plus] })).toBe(concepts[0]);
  expect(sameConcept(concepts, { name: "mlp_L3_117", members: [minus] })).toBeUndefined();
});

test("tells concepts of one name apart by their members", () => {
  const concepts = [{ name: "names", members: [plus, other] }];
  expect(sameConcept(concepts, { name: "names", members: [minus, other] })).toBeUndefined();
  expect(sameConcept(concepts, { name: "towns", members: [plus, other] })).toBeUndefined();
});

test("knows a concept of which a sweep left the first members", () => {
  const concepts = [{ name: "names", members: [plus] }];
  expect(sameConcept(concepts, { name: "names", members: [plus, other] })).toBe(concepts[0]);
});

import { expect, it } from "vitest";

import type { CoderSetInfo } from "@/api/jobs";
import { listedCoders } from "@/pages/data/listed-coders";

const set = (name: string, path: string, model = "demo") => ({ name, path, model }) as CoderSetInfo;
const served = (name: string) => ({ name, site: "resid_pre", layers: [0], n_latents: 8, n_latents_by_layer: [8] });

it("says of each set whether it is the one that is served, and keeps those that have no card", () => {
  const sets = [set("mlp", "/elsewhere/mlp"), set("mlp", "/shelf/mlp"), set("heads", "/shelf/heads", "gpt2")];
  const { listed, cardless } = listedCoders(sets, { name: "demo", coders: [served("mlp"), served("theirs")] });
  expect(listed.map(({ set: { path }, isServed }) => [path, isServed])).toEqual([
    ["/elsewhere/mlp", true],
    ["/shelf/mlp", false],
    ["/shelf/heads", false],
  ]);
  expect(cardless.map(({ name }) => name)).toEqual(["theirs"]);
});

it("calls nothing served before the model is known", () => {
  expect(listedCoders([set("mlp", "/a")], undefined)).toEqual({ listed: [{ set: set("mlp", "/a"), isServed: false }], cardless: [] });
});

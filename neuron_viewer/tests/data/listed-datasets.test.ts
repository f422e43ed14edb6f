import { expect, it } from "vitest";

import type { StoredDataset } from "@/api/jobs";
import type { DatasetInfo } from "@/api/types";
import { listedDatasets } from "@/pages/data/listed-datasets";

const stored = (name: string) => ({ name, path: `/shelf/${name}`, serve_option: `--dataset ${name}`, is_bundled: name === "demo" }) as StoredDataset;

it("lists what is served first, wherever it lies, and the rest of the shelf behind it", () => {
  const elsewhere = { name: "openai:gpt2-small", path: "az://public" } as DatasetInfo;
  const served = [elsewhere, { name: "demo", path: "/shelf/demo" } as DatasetInfo];
  const listed = listedDatasets([stored("mine"), stored("demo")], served);
  expect(listed.map(({ name, isServed, is_bundled }) => [name, isServed, is_bundled])).toEqual([
    ["openai:gpt2-small", true, false],
    ["demo", true, true],
    ["mine", false, false],
  ]);
  expect(listed[2]?.serve_option).toBe("--dataset mine");
});

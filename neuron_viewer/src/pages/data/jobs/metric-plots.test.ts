import { expect, it } from "vitest";

import { metricPlots } from "./metric-plots";

const point = (done: number, metrics: Record<string, number | null>) => ({ done, total: 100, metrics });

it("draws what is unexplained as what is explained, with a line for each coder", () => {
  const plots = metricPlots([
    point(10, { loss: 3, fvu: 0.5, "fvu/L0": 0.4, tokens_per_second: 900 }),
    point(20, { loss: 2, fvu: 0.25, "fvu/L0": 0.125 }),
  ]);
  expect(plots.map(({ title }) => title)).toEqual(["Explained variance", "Loss"]);
  expect(plots[0]?.lines).toEqual([
    { name: "the mean of all coders", isMain: true, points: [{ x: 10, y: 0.5 }, { x: 20, y: 0.75 }] },
    { name: "L0", isMain: false, points: [{ x: 10, y: 0.6 }, { x: 20, y: 0.875 }] },
  ]);
});

it("drops what a kill undid, but not what another phase told", () => {
  const plots = metricPlots([
    point(10, { loss: 3 }),
    point(20, { loss: 2 }),
    point(30, { loss: 1 }),
    point(20, { loss: 1.9 }),
    point(5, { l0: 2 }),
    point(30, { loss: null }),
  ]);
  expect(plots.find(({ metric }) => metric === "loss")?.lines[0]?.points).toEqual([
    { x: 10, y: 3 },
    { x: 20, y: 1.9 },
  ]);
});

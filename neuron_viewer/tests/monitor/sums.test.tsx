/** The sums below the components say what they are of. */
import { render } from "@testing-library/react";
import { expect, it } from "vitest";

import type { InfluenceItem, InfluenceResponse } from "@/api/types";
import { Sums } from "@/pages/monitor/components/sums";
import { DEFAULT_LISTING, type Listing } from "@/pages/monitor/monitor-state";

const DATA = {
  totals: { all: 3, positive: 4, negative: -1, listed: 2, attn: 1, mlp: 2, latent: 0 },
  objective: { position: 7, unit: "nats" },
} as Pick<InfluenceResponse, "totals" | "objective">;

function said(changes: Partial<Listing>): string {
  const shown = [{ attribution: 1.5 }, { attribution: null }] as InfluenceItem[];
  return render(<Sums data={DATA} listing={{ ...DEFAULT_LISTING, ...changes }} shown={shown} />).container.textContent;
}

it("are of all components where nothing is filtered", () => {
  expect(said({ text: "days", minScore: 0.4 })).toBe(
    "All components together +3.00 nats: +4.00 where they are above zero, \u22121.00 below. The rows listed hold +1.50.",
  );
});

it("name the filters, and that all else is left out", () => {
  const text = said({ kind: "mlp", side: "positive", layers: [0, 3], tokens: [4, 9] });
  expect(text).toContain("All that pass the filters (neurons, activation above zero, layers 0\u20133, tokens 4\u20136)");
  expect(text).toContain("All else is left out of these sums.");
  expect(text).not.toContain("All components");
});

it("do not name a range that comes after the explained token, which filters nothing", () => {
  expect(said({ tokens: [7, 9] })).toMatch(/^All components together/);
});

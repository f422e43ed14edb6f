import { render, screen, within } from "@testing-library/react";
import { describe, expect, it } from "vitest";

import { ClaimTable } from "@/pages/self-check/claim-table";
import { summaryOf, verdictOf } from "@/pages/self-check/summary";

const claim = {
  name: "sum",
  claim: "Direct effects add up to the objective.",
  expected: "3.75",
  found: "3.80",
  tolerance: "0.0001 relative",
  passed: false,
  command: "tdb self-check --model demo",
  skipped: null,
};

describe("verdicts", () => {
  it("tell skipped from failed", () => {
    expect(verdictOf(claim)).toBe("fail");
    expect(verdictOf({ passed: false, skipped: "There is no GPU." })).toBe("skipped");
  });

  it("are counted, and none are left unsaid", () => {
    expect(summaryOf([{ ...claim, passed: true }])).toBe("1 pass");
    expect(summaryOf([claim, { passed: true, skipped: "why" }])).toBe("0 pass, 1 fail, 1 skipped");
  });
});

it("shows each claim with its figures and the command that repeats it", () => {
  render(<ClaimTable claims={[claim]} stale={false} />);
  const row = screen.getByRole("row", { name: /Direct effects/ });
  for (const text of ["3.75", "3.80", "0.0001 relative", "tdb self-check --model demo"]) {
    expect(within(row).getByText(text)).toBeInTheDocument();
  }
  expect(within(row).getByText(/fail/)).toBeInTheDocument();
});

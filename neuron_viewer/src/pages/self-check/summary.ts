import type { SelfCheckClaim } from "@/api/types";

export type Verdict = "pass" | "fail" | "skipped";

export function verdictOf({ passed, skipped }: Pick<SelfCheckClaim, "passed" | "skipped">): Verdict {
  if (skipped !== null && skipped !== undefined) return "skipped";
  return passed ? "pass" : "fail";
}

/** `6 pass, 1 fail, 1 skipped`; what is none is left out, but for passes. */
export function summaryOf(claims: readonly Pick<SelfCheckClaim, "passed" | "skipped">[]): string {
  const verdicts = claims.map(verdictOf);
  const count = (verdict: Verdict) => verdicts.filter((one) => one === verdict).length;
  return (["pass", "fail", "skipped"] as const)
    .filter((verdict) => verdict === "pass" || count(verdict) > 0)
    .map((verdict) => `${count(verdict)} ${verdict}`)
    .join(", ");
}

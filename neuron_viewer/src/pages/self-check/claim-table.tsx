import type { SelfCheckClaim } from "@/api/types";
import { CopyButton } from "@/components/copy-button";

import { verdictOf, type Verdict } from "./summary";

export interface ClaimTableProps {
  claims: readonly SelfCheckClaim[];
  stale: boolean;
}

const MARKS: Record<Verdict, string> = { pass: "\u2713 pass", fail: "\u2717 fail", skipped: "skipped" };

/** Each claim with what was expected, what was found, and the command that repeats it. */
export function ClaimTable({ claims, stale }: ClaimTableProps) {
  return (
    <div className={stale ? "scroll stale" : "scroll"}>
      <table className="table claims">
        <thead>
          <tr>
            <th scope="col">Result</th>
            <th scope="col">Claim</th>
            <th scope="col">Expected</th>
            <th scope="col">Found</th>
            <th scope="col">Tolerance</th>
            <th scope="col">Repeat it</th>
          </tr>
        </thead>
        <tbody>
          {claims.map((claim) => (
            <ClaimRow key={claim.name} claim={claim} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function ClaimRow({ claim }: { claim: SelfCheckClaim }) {
  const verdict = verdictOf(claim);
  return (
    <tr>
      <td className={`verdict ${verdict}`}>{MARKS[verdict]}</td>
      <th scope="row" className="claim">
        {claim.claim}
        <span className="note"> {verdict === "skipped" ? claim.skipped : claim.name}</span>
      </th>
      <td data-label="Expected">{claim.expected}</td>
      <td data-label="Found" className={verdict === "fail" ? "alert" : undefined}>
        {claim.found}
      </td>
      <td data-label="Tolerance">{claim.tolerance}</td>
      <td data-label="Repeat it" className="repeat">
        <code>{claim.command}</code> <CopyButton text={claim.command}>Copy</CopyButton>
      </td>
    </tr>
  );
}

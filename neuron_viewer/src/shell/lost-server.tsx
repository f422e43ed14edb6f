import { useQuery } from "@tanstack/react-query";

import { healthQuery } from "@/api/queries";
import { CopyButton } from "@/components/copy-button";

const COMMAND = "tdb serve";

/** A line under the bar while the server does not answer; every call that waits for it retries by itself. */
export function LostServer() {
  const { isError, error, refetch } = useQuery(healthQuery());
  if (!isError) return null;
  return (
    <div className="lostline" role="status">
      <b>{error.message}</b>
      <span className="mid">
        Start it with <code>{COMMAND}</code>; this page retries by itself.
      </span>
      <CopyButton text={COMMAND}>Copy command</CopyButton>
      <button type="button" className="btn small plain" onClick={() => void refetch()}>
        Retry now
      </button>
    </div>
  );
}

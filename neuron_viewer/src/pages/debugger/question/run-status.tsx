import { useQuery } from "@tanstack/react-query";
import { useEffect, useState } from "react";

import { healthQuery } from "@/api/queries";

const CANCEL_AFTER = 1;

/** "Computing, 0.4 s", how many requests wait at the server, and Cancel once it takes a while. */
export function RunStatus({ onCancel }: { onCancel: () => void }) {
  const seconds = useSeconds();
  const { data } = useQuery({ ...healthQuery(), refetchInterval: 1_000 });
  const queued = data?.queued ?? 0;
  return (
    <>
      <span className="mid small status">
        Computing, {seconds.toFixed(1)} s{queued > 0 && `, ${queued} queued`}
      </span>
      {seconds >= CANCEL_AFTER && (
        <button type="button" className="btn small" onClick={onCancel}>
          Cancel
        </button>
      )}
    </>
  );
}

function useSeconds(): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    const started = performance.now();
    const timer = window.setInterval(() => {
      setSeconds((performance.now() - started) / 1000);
    }, 100);
    return () => {
      window.clearInterval(timer);
    };
  }, []);
  return seconds;
}

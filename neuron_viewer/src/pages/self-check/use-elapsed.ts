import { useEffect, useState } from "react";

const TICK = 100;

/** Seconds since `running` became true, told ten times a second. */
export function useElapsed(running: boolean): number {
  const [seconds, setSeconds] = useState(0);
  useEffect(() => {
    if (!running) return undefined;
    const start = performance.now();
    const timer = window.setInterval(() => {
      setSeconds((performance.now() - start) / 1000);
    }, TICK);
    return () => {
      window.clearInterval(timer);
      setSeconds(0);
    };
  }, [running]);
  return seconds;
}

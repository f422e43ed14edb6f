import { useEffect, useEffectEvent, useState } from "react";

/** The text, renewed at most every `every` milliseconds, so that a live region does not chatter. */
export function useAnnouncement(text: string, every = 5000): string {
  const [said, setSaid] = useState(text);
  const say = useEffectEvent(() => setSaid(text));
  useEffect(() => {
    const timer = window.setInterval(say, every);
    return () => window.clearInterval(timer);
  }, [every]);
  return said;
}

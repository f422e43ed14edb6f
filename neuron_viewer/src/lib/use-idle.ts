import { useEffect, useState } from "react";

import { whenIdle } from "./when-idle";

/** Whether what matters more has been drawn: for what may come a moment later. */
export function useIdle(): boolean {
  const [isIdle, setIsIdle] = useState(false);
  useEffect(
    () =>
      whenIdle(() => {
        setIsIdle(true);
      }),
    [],
  );
  return isIdle;
}

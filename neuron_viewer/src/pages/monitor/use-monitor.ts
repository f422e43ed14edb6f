import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { readState, writeState, type MonitorState } from "./monitor-state";

export type Monitor = {
  state: MonitorState;
  /** Changes part of the state; `quietly` leaves no entry in the history. */
  change: (part: Partial<MonitorState>, quietly?: boolean) => void;
};

/** The page's state lives in the URL. */
export function useMonitor(isChat: boolean): Monitor {
  const [params, setParams] = useSearchParams();
  const state = useMemo(() => readState(params, isChat), [params, isChat]);
  return {
    state,
    change: (part, quietly = false) => {
      // From the address itself: a reply ends long after the render that began it, and much may have changed since.
      const now = readState(new URLSearchParams(window.location.search), isChat);
      setParams(writeState({ ...now, ...part }), { replace: quietly });
    },
  };
}

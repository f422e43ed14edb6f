import { useMemo } from "react";
import { useSearchParams } from "react-router";

import { readState, writeState, type MonitorState } from "./monitor-state";

export type Monitor = {
  state: MonitorState;
  /** The state by the address itself: what ends long after the render that began it may find that much has changed. */
  now: () => MonitorState;
  /** Changes part of the state; `quietly` leaves no entry in the history. */
  change: (part: Partial<MonitorState>, quietly?: boolean) => void;
};

/** The page's state lives in the URL. */
export function useMonitor(isChat: boolean): Monitor {
  const [params, setParams] = useSearchParams();
  const state = useMemo(() => readState(params, isChat), [params, isChat]);
  const now = () => readState(new URLSearchParams(window.location.search), isChat);
  return {
    state,
    now,
    change: (part, quietly = false) => { setParams(writeState({ ...now(), ...part }), { replace: quietly }); },
  };
}

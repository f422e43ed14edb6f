import { useMemo } from "react";
import { useLocation, useSearchParams } from "react-router";

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
  const { pathname } = useLocation();
  const state = useMemo(() => readState(params, isChat), [params, isChat]);
  const now = () => readState(new URLSearchParams(window.location.search), isChat);
  return {
    state,
    now,
    change: (part, quietly = false) => {
      // Another page has been asked for and is being loaded: a reply that ends now must not call it back.
      if (window.location.pathname !== pathname) return;
      setParams(writeState({ ...now(), ...part }), { replace: quietly });
    },
  };
}

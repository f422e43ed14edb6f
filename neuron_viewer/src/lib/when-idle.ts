const AT_LATEST = 500;

/** Do something once what matters more has been drawn; gives what calls it off. */
export function whenIdle(act: () => void): () => void {
  // Safari has no idle callbacks.
  if (!("requestIdleCallback" in window)) {
    const timer = setTimeout(act, AT_LATEST / 10);
    return () => {
      clearTimeout(timer);
    };
  }
  const handle = requestIdleCallback(act, { timeout: AT_LATEST });
  return () => {
    cancelIdleCallback(handle);
  };
}

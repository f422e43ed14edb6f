import { useRef, useState } from "react";

const CLOSE_AFTER = 150;

/** Open while the pointer or the focus is on the thing or on what it opened. */
export function useHoverOpen() {
  const [isOpen, setOpen] = useState(false);
  const timer = useRef<number | undefined>(undefined);
  const keep = () => {
    window.clearTimeout(timer.current);
    setOpen(true);
  };
  const leave = () => {
    window.clearTimeout(timer.current);
    timer.current = window.setTimeout(() => setOpen(false), CLOSE_AFTER);
  };
  return {
    isOpen,
    setOpen,
    handlers: { onPointerEnter: keep, onPointerLeave: leave, onFocus: keep, onBlur: leave },
  };
}

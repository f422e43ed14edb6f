import { useEffect, useState } from "react";

/** A value once it has kept still for a while. */
export function useSettled<T>(value: T, milliseconds: number): T {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = window.setTimeout(() => {
      setSettled(value);
    }, milliseconds);
    return () => {
      window.clearTimeout(timer);
    };
  }, [value, milliseconds]);
  return settled;
}

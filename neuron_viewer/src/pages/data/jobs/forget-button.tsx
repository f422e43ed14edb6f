import { type MouseEvent, useState } from "react";

type ForgetButtonProps = { name: string; isBusy: boolean; onForget: (event: MouseEvent<HTMLButtonElement>) => void };

/**
 * Forgets a job at the second press. It stands where Cancel stood a moment before, so the second click of a double
 * click on Cancel only asks.
 */
export function ForgetButton({ name, isBusy, onForget }: ForgetButtonProps) {
  const [isAsking, setIsAsking] = useState(false);
  const text = isAsking ? "Forget it?" : "Forget";
  const stop = () => {
    setIsAsking(false);
  };
  return (
    <button
      type="button"
      className={isAsking ? "btn small alert" : "btn small"}
      disabled={isBusy}
      aria-label={`${text} ${name}`}
      title={isAsking ? "Press again to take it off the list" : "Take it off the list; what it made stays"}
      onClick={(event) => {
        if (isAsking) onForget(event);
        else setIsAsking(true);
      }}
      onBlur={stop}
      onPointerLeave={stop}
    >
      {text}
    </button>
  );
}

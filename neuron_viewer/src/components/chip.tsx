import type { KeyboardEvent, ReactNode } from "react";

type ChipProps = {
  children: ReactNode;
  /** Target (blue edge), distractor (orange edge), or an intervention. */
  tone?: "target" | "distractor" | "edit" | undefined;
  bad?: boolean;
  /** Says what is removed, for the button's name. */
  name: string;
  onRemove?: (() => void) | undefined;
};

const TONES = { target: " t", distractor: " d", edit: " edit" };

/** A removable thing; Backspace or Delete on it removes it too. */
export function Chip({ children, tone, bad, name, onRemove }: ChipProps) {
  function onKeyDown(event: KeyboardEvent) {
    const typing = event.target instanceof HTMLInputElement || event.target instanceof HTMLSelectElement;
    if (!typing && onRemove && (event.key === "Backspace" || event.key === "Delete")) {
      event.preventDefault();
      onRemove();
    }
  }
  return (
    <span className={`chip${tone ? TONES[tone] : ""}${bad ? " bad" : ""}`} onKeyDown={onKeyDown}>
      {children}
      {onRemove && (
        <button type="button" className="x" aria-label={`Remove ${name}`} onClick={onRemove}>
          {"\u00d7"}
        </button>
      )}
    </span>
  );
}

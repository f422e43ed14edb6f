import { useEffect, useEffectEvent } from "react";

/** Acts by key: `e`, `U` (with Shift), `ctrl+Enter`. */
export type KeyMap = Record<string, (event: KeyboardEvent) => void>;

/** Keys of the page. Off inside inputs, menus and dialogs; a key that a part has already used is left alone. */
export function useKeys(keys: KeyMap): void {
  const onKeyDown = useEffectEvent((event: KeyboardEvent) => {
    const control = event.ctrlKey || event.metaKey;
    if (event.defaultPrevented || event.altKey || event.isComposing) return;
    if (!control && (isTyping(event.target) || presses(event))) return;
    const act = keys[(control ? "ctrl+" : "") + event.key];
    if (!act) return;
    event.preventDefault();
    act(event);
  });
  useEffect(() => {
    const listen = (event: KeyboardEvent) => {
      onKeyDown(event);
    };
    window.addEventListener("keydown", listen);
    return () => {
      window.removeEventListener("keydown", listen);
    };
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  return target.closest("input, textarea, select, [contenteditable], [role=dialog], [role=menu]") !== null;
}

/** Enter and Space belong to the button, link or row that has the focus. */
function presses({ key, target }: KeyboardEvent): boolean {
  return (key === "Enter" || key === " ") && target !== document.body;
}

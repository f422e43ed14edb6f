import { type ReactNode, useState } from "react";

type CopyButtonProps = {
  /** The text, or how to get it at the moment of the click. */
  text: string | (() => string);
  children: ReactNode;
  className?: string;
};

/** Copies and says so in the button itself for 1.5 s. */
export function CopyButton({ text, children, className = "btn small" }: CopyButtonProps) {
  const [said, setSaid] = useState<string | null>(null);
  async function copy() {
    const done = await copyText(typeof text === "string" ? text : text());
    setSaid(done ? "Copied" : "Not allowed");
    setTimeout(() => {
      setSaid(null);
    }, 1500);
  }
  return (
    <button type="button" className={className} onClick={() => void copy()}>
      <span aria-live="polite">{said ?? children}</span>
    </button>
  );
}

/** False when the browser does not let the page write to the clipboard (a plain-http address, say). */
export async function copyText(text: string): Promise<boolean> {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

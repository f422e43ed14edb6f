/** Whose latents a page tells of, where several coder sets describe one stream. */
import { createContext, useContext } from "react";

/** The coder set that the page's queries ask for; null for the first of each stream. */
export const PageCoder = createContext<string | null>(null);

export function usePageCoder(): string | null {
  return useContext(PageCoder);
}

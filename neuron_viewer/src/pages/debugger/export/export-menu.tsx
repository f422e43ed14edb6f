import { useQuery } from "@tanstack/react-query";
import { useState } from "react";

import { codersQuery } from "@/api/jobs";
import { copyText } from "@/components/copy-button";
import { Menu, MenuItem } from "@/components/menu";
import { downloadText } from "@/lib/download";
import { toRequest } from "@/lib/question";

import type { PageState } from "../page-state";
import { asCurl, asPython } from "./export-text";
import { asLibrary } from "./library-snippet";

/** The question as a command, and its answer as a file. (The rows as CSV are exported where they stand.) */
export function ExportMenu({ page }: { page: PageState }) {
  const [copied, setCopied] = useState<string | null>(null);
  const request = toRequest(page.question);
  const { answered, stale } = page.result;
  const hasCoders = page.model.coders.length > 0;
  const { data: shelf } = useQuery({ ...codersQuery(), enabled: hasCoders });
  // A set that does not lie on the server's shelf was named by its path or a known name.
  const specs = Object.fromEntries(
    (shelf?.coder_sets ?? []).map(({ name, site, path }) => [name, `${name}:${site}=${path}`]),
  );

  async function copy(name: string, text: string) {
    setCopied((await copyText(text)) ? name : null);
    setTimeout(() => {
      setCopied(null);
    }, 1500);
  }
  function item(name: string, note: string, text: () => string) {
    return (
      <MenuItem stay note={note} onSelect={() => void copy(name, text())}>
        <span aria-live="polite">{copied === name ? "Copied" : name}</span>
      </MenuItem>
    );
  }

  return (
    <Menu trigger="Export">
      {item("Copy as curl", "this question, of this server", () => asCurl(request, location.origin))}
      {item("Copy as Python", "this question, of the library", () => asLibrary(request, page.model.name, specs))}
      {item("Copy as Python over HTTP", "this question, of this server", () =>
        asPython(request, location.origin),
      )}
      {answered && !stale && (
        <MenuItem
          note="request and response, every figure in full"
          onSelect={() => {
            downloadText("debug.json", JSON.stringify(answered, null, 1), "application/json");
          }}
        >
          Download JSON
        </MenuItem>
      )}
    </Menu>
  );
}

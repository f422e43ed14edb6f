import { useState } from "react";

import { copyText } from "@/components/copy-button";
import { Menu, MenuItem } from "@/components/menu";
import { downloadText } from "@/lib/download";

import type { MonitorState } from "../monitor-state";
import { conversationCurl, conversationJson, conversationPython } from "./conversation-export";

type ExportMenuProps = { state: MonitorState; model: string };

/** The conversation with its steering, to run again elsewhere. */
export function ExportMenu({ state, model }: ExportMenuProps) {
  const [copied, setCopied] = useState<string | null>(null);
  async function copy(name: string, text: string) {
    setCopied((await copyText(text)) ? name : null);
    setTimeout(() => { setCopied(null); }, 1500);
  }
  function item(name: string, note: string, text: string) {
    return (
      <MenuItem stay note={note} onSelect={() => void copy(name, text)}>
        <span aria-live="polite">{copied === name ? "Copied" : name}</span>
      </MenuItem>
    );
  }
  return (
    <Menu trigger="Export" className="btn small plain">
      {item("Copy as Python", "the reply as steered now, of this server", conversationPython(state, location.origin))}
      {item("Copy as curl", "the same as a command", conversationCurl(state, location.origin))}
      <MenuItem
        note="messages, seed, concepts and the reply's tokens"
        onSelect={() => { downloadText("conversation.json", conversationJson(state, model), "application/json"); }}
      >
        Download JSON
      </MenuItem>
    </Menu>
  );
}

import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useDeferredValue } from "react";

import { tokenizeQuery } from "@/api/queries";
import { Token } from "@/components/token";
import { formatCount } from "@/lib/format";

import { endsInSpace } from "./token-warning";

type PromptEditorProps = {
  name: string;
  text: string;
  /** Longest prompt, in tokens. */
  limit: number;
  onChange: (text: string) => void;
  onRun: () => void;
  onCancel: () => void;
};

/** The prompt as text, with its tokens below as it is typed. Enter runs, Shift+Enter is a new line. */
export function PromptEditor({ name, text, limit, onChange, onRun, onCancel }: PromptEditorProps) {
  const settled = useDeferredValue(text);
  const { data } = useQuery({
    ...tokenizeQuery(settled),
    enabled: settled !== "",
    placeholderData: (previous) => previous,
  });
  const tokens = settled === "" ? [] : (data?.tokens ?? []);

  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Escape") onCancel();
    if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
    event.preventDefault();
    onRun();
  }

  return (
    <div className="editor">
      <textarea
        className="mono"
        aria-label={name}
        rows={Math.min(8, Math.max(2, text.split("\n").length))}
        autoFocus
        onFocus={({ target }) => { target.setSelectionRange(target.value.length, target.value.length); }}
        spellCheck={false}
        value={text}
        placeholder="Type a prompt"
        onChange={(event) => { onChange(event.target.value); }}
        onKeyDown={onKeyDown}
      />
      <p className="livetokens">
        {tokens.slice(0, 400).map((token, index) => (
          <span key={index} className="lt">
            <Token text={token.text} />
          </span>
        ))}
        <span className={tokens.length > limit ? "alert small" : "note"}>
          {formatCount(tokens.length)} of {formatCount(limit)} tokens
        </span>
      </p>
      {endsInSpace(text) && (
        <TrailingSpace onFix={() => { onChange(text.replace(/ +$/, "")); }} />
      )}
    </div>
  );
}

export function TrailingSpace({ onFix }: { onFix: () => void }) {
  return (
    <p className="warning">
      <span className="alert small">
        The prompt ends in a space, but tokens carry their own leading space.
      </span>
      <button type="button" className="btn small" onClick={onFix}>
        Remove it
      </button>
    </p>
  );
}

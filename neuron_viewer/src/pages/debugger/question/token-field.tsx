import { useQuery } from "@tanstack/react-query";
import { type KeyboardEvent, useState } from "react";

import { tokenizeQuery } from "@/api/queries";
import { Token } from "@/components/token";
import { visibleText } from "@/lib/format";

import { tokenWarning } from "./token-warning";

type TokenFieldProps = {
  role: "target" | "distractor";
  text: string;
  /** What the token would follow, and the prompt's own next token, if any. */
  before: string;
  next: string | undefined;
  /** The server refused it. */
  refused: boolean;
  /** A new text; null takes the token away. */
  onChange: (text: string | null) => void;
};

/** One target or distractor: a chip that opens into a field, with its warning and the fix beside it. */
export function TokenField({ role, text, before, next, refused, onChange }: TokenFieldProps) {
  const [draft, setDraft] = useState<string | null>(text === "" ? "" : null);
  const value = draft ?? text;
  const { data } = useQuery({ ...tokenizeQuery(value), enabled: value !== "" });
  const tokens = data?.tokens.map((token) => token.text) ?? [];
  const warning = tokenWarning(value, tokens, before, next);

  function commit() {
    if (draft === null) return;
    setDraft(null);
    if (draft !== text) onChange(draft === "" ? null : draft);
    else if (draft === "") onChange(null);
  }
  function onKeyDown(event: KeyboardEvent) {
    if (event.key === "Enter") commit();
    if (event.key === "Escape") {
      setDraft(null);
      if (text === "") onChange(null);
    }
  }

  return (
    <span className="tokenfield">
      <span className={`chip ${role === "target" ? "t" : "d"}${warning || refused ? " bad" : ""}`}>
        {draft === null ? (
          <button type="button" className="value" title={`Change the ${role}`} onClick={() => { setDraft(text); }}>
            <Token text={text} />
          </button>
        ) : (
          // A space is shown as a dot, so that the leading one is seen; a dot that is typed means a space too.
          <input
            className="mono"
            aria-label={`${role}, spaces shown as dots`}
            autoFocus
            spellCheck={false}
            autoComplete="off"
            value={draft.replaceAll(" ", "\u00b7")}
            style={{ width: `${Math.max(5, draft.length + 1)}ch` }}
            onChange={(event) => { setDraft(event.target.value.replaceAll("\u00b7", " ")); }}
            onKeyDown={onKeyDown}
            onBlur={commit}
          />
        )}
        <button
          type="button"
          className="x"
          aria-label={`Remove ${role} ${visibleText(text)}`}
          onMouseDown={(event) => { event.preventDefault(); }}
          onClick={() => { onChange(null); }}
        >
          {"\u00d7"}
        </button>
      </span>
      {warning && (
        <span className="warning">
          <span className="alert small">
            {warning.message}{" "}
            {warning.parts.map((part, place) => (
              <Token key={place} text={part} />
            ))}
          </span>
          {warning.fix !== null && (
            <button
              type="button"
              className="btn small"
              onMouseDown={(event) => { event.preventDefault(); }}
              onClick={() => {
                setDraft(null);
                onChange(warning.fix);
              }}
            >
              Use <Token text={warning.fix} />
            </button>
          )}
        </span>
      )}
    </span>
  );
}

import { type ReactNode, useState } from "react";

type ComposerProps = {
  /** In a chat each text is a message; else it is the whole text, which can be changed and continued. */
  isChat: boolean;
  prompt: string | null;
  isWriting: boolean;
  onSend: (text: string) => void;
  onStop: () => void;
  /** How tokens are chosen. */
  children: ReactNode;
};

/** Where text is typed. Enter sends, Shift+Enter breaks the line. */
export function Composer({ isChat, prompt, isWriting, onSend, onStop, children }: ComposerProps) {
  const [edited, setEdited] = useState<{ from: string | null; text: string } | null>(null);
  // What was typed gives way when the text itself changes: by a link, an example, or Back.
  const draft = edited && edited.from === prompt ? edited.text : (prompt ?? "");
  function send() {
    if (draft === "" || isWriting) return;
    onSend(draft);
    if (isChat) setEdited(null);
  }
  return (
    <form
      className="compose"
      onSubmit={(event) => {
        event.preventDefault();
        send();
      }}
    >
      <textarea
        className="ask"
        aria-label={isChat ? "Message" : "Text"}
        placeholder={isChat ? "Ask something\u2026" : "Write a text to continue\u2026"}
        rows={2}
        spellCheck={false}
        maxLength={100_000}
        value={draft}
        onChange={(event) => { setEdited({ from: prompt, text: event.target.value }); }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          send();
        }}
      />
      {children}
      {isWriting ? (
        <button type="button" className="btn" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button type="submit" className="btn primary" disabled={draft === ""}>
          {isChat ? "Send" : "Continue"} <kbd>{"\u21b5"}</kbd>
        </button>
      )}
    </form>
  );
}

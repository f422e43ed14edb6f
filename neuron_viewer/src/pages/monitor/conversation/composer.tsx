import { type ReactNode, useState } from "react";

type ComposerProps = {
  /** In a chat each text is a message; else it is the whole text, which can be changed and continued. */
  isChat: boolean;
  prompt: string | null;
  isWriting: boolean;
  /** Rejects where the text was not sent. */
  onSend: (text: string) => Promise<void>;
  onStop: () => void;
  /** How tokens are chosen. */
  children: ReactNode;
};

/** Where text is typed. Enter sends, Shift+Enter breaks the line. */
export function Composer({ isChat, prompt, isWriting, onSend, onStop, children }: ComposerProps) {
  const [edited, setEdited] = useState<{ from: string | null; text: string } | null>(null);
  // What was typed gives way when the text itself changes: by a link, an example, or Back.
  const draft = edited && edited.from === prompt ? edited.text : (prompt ?? "");
  const [isSending, setSending] = useState(false);
  async function send() {
    if (draft === "" || isWriting || isSending) return;
    setSending(true);
    try {
      await onSend(draft);
      if (isChat) setEdited(null);
    } catch {
      // What was typed stays; the panel says what is wrong.
    }
    setSending(false);
  }
  return (
    <form
      className="compose"
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      <textarea
        className="ask"
        aria-label={isChat ? "Message" : "Text"}
        placeholder={isChat ? "Ask something\u2026" : "Write a text to continue\u2026"}
        rows={2}
        spellCheck={false}
        maxLength={100_000}
        readOnly={isSending}
        value={draft}
        onChange={(event) => { setEdited({ from: prompt, text: event.target.value }); }}
        onKeyDown={(event) => {
          if (event.key !== "Enter" || event.shiftKey || event.nativeEvent.isComposing) return;
          event.preventDefault();
          void send();
        }}
      />
      {children}
      {isWriting ? (
        <button type="button" className="btn" onClick={onStop}>
          Stop
        </button>
      ) : (
        <button type="submit" className="btn primary" disabled={draft === "" || isSending}>
          {isChat ? "Send" : "Continue"} <kbd>{"\u21b5"}</kbd>
        </button>
      )}
    </form>
  );
}

import { whyUnread } from "../concept-text";

type UnreadConceptsProps = { unread: readonly string[]; onDismiss: () => void };

/** What of the link's concepts does not steer because it could not be read, each with the reason. */
export function UnreadConcepts({ unread, onDismiss }: UnreadConceptsProps) {
  if (unread.length === 0) return null;
  return (
    <div className="err unread" role="alert">
      <p><b>Part of this link could not be read, and does not steer:</b></p>
      <ul>
        {unread.map((text) => (
          <li key={text}>
            <span className="mono">{text}</span>: {whyUnread(text) ?? "it was left out"}
          </li>
        ))}
      </ul>
      <p>
        <button type="button" className="link small" onClick={onDismiss}>
          Go on without {unread.length === 1 ? "it" : "them"}
        </button>
      </p>
    </div>
  );
}

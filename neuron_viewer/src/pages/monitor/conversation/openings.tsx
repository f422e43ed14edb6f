type OpeningsProps = { isChat: boolean; prompts: readonly string[]; onPick: (text: string) => void };

/** What the page is for, and texts to begin with. */
export function Openings({ isChat, prompts, onPick }: OpeningsProps) {
  return (
    <div className="pad openings">
      <p className="note">
        {isChat
          ? "Ask the model something. Then click a token of its reply to see what led to it."
          : "This model continues a text. Write one; then click a token to see what led to it."}
      </p>
      <ul aria-label="Texts to begin with">
        {prompts.map((prompt) => (
          <li key={prompt}>
            <button type="button" className="opening" onClick={() => { onPick(prompt); }}>
              {prompt}
            </button>
          </li>
        ))}
      </ul>
    </div>
  );
}

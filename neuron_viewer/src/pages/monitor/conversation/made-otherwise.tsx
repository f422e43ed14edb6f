import { differing, type MonitorState } from "../monitor-state";

type MadeOtherwiseProps = { state: Pick<MonitorState, "sampling" | "madeWith">; onAgain: () => void };

const NAMES = { temperature: "temperature", top_p: "top-p", seed: "seed", max_new_tokens: "max" };

/** Says so where the settings have changed since the reply was written, with the way to write it anew. */
export function MadeOtherwise({ state, onAgain }: MadeOtherwiseProps) {
  const keys = differing(state);
  if (keys.length === 0) return null;
  return (
    <p className="note madeotherwise" role="status">
      This reply was written with {keys.map((key) => `${NAMES[key]} ${state.madeWith[key]}`).join(", ")}.{" "}
      <button type="button" className="link small" onClick={onAgain}>
        Write it again with {keys.map((key) => `${NAMES[key]} ${state.sampling[key]}`).join(", ")}
      </button>
    </p>
  );
}

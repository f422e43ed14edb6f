import type { Explanation } from "@/api/types";
import { define } from "@/lib/define";
import { NONE } from "@/lib/format";

/** A score from 0 to 1 as a bar and a number, and whose explanation it is. */
export function ScoreBar({ explanation }: { explanation: Pick<Explanation, "score" | "explainer"> }) {
  const { score, explainer } = explanation;
  return (
    <span className="score">
      <span className="sb" aria-hidden="true">
        <i style={{ width: `${100 * Math.min(1, Math.max(0, score ?? 0))}%` }} />
      </span>
      <b {...define("explanation_score", { exact: score })}>{score === null ? NONE : scoreText(score)}</b>
      <span className="quiet">
        {score === null ? "not scored" : "held-out correlation"}, {EXPLAINERS[explainer] ?? explainer}
      </span>
    </span>
  );
}

const EXPLAINERS: Record<string, string> = {
  lookup: "by token lookup",
  trigger_graph: "by trigger graph",
  attention_patterns: "from attention patterns",
  human: "your own",
  "human:literal": "your own, taken at its word",
  "human:local": "your own, read by this model",
  "human:endpoint": "your own, read by a language model",
};

/** A correlation: two decimals and a true minus; none before a zero. */
export function scoreText(score: number): string {
  return score.toFixed(2).replace(/^-(?!0\.00$)/, "\u2212").replace("-", "");
}

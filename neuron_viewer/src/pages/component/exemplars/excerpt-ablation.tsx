import { useQuery } from "@tanstack/react-query";

import { ablationEffectQuery } from "@/api/queries";
import type { AblationEffectResponse } from "@/api/types";
import { formatPoints } from "@/lib/format";

import { usePageCoder } from "../page-coder";

export interface ExcerptAblationProps {
  component: string;
  tokens: readonly string[];
  token: number;
}

/** How much likelier or less likely the excerpt's own token gets without the component. */
export function ExcerptAblation({ component, tokens, token }: ExcerptAblationProps) {
  const asked = ablationEffectQuery(component, tokens.join(""), usePageCoder());
  const query = useQuery({ ...asked, enabled: token > 0, retry: false });
  if (token === 0) return <span className="quiet">nothing stands before it, so nothing predicts it</span>;
  if (query.error) return <span className="quiet">{query.error.message}</span>;
  if (!query.data) return <span className="pend" aria-label="computing" />;
  const change = changeAt(query.data, tokens, token);
  if (!change) return <span className="quiet">read by itself, the excerpt is cut into other tokens here</span>;
  return (
    <>
      <span className="quiet">its probability with {component} ablated there</span>
      <Points change={change.there} />
      <span className="quiet">everywhere</span>
      <Points change={change.everywhere} />
    </>
  );
}

function Points({ change }: { change: number }) {
  const text = formatPoints(change);
  return <b className={text.startsWith("0") ? "quiet" : change < 0 ? "neg" : "pos"}>{text}</b>;
}

/** A token is predicted at the one before it. Null where the text alone gives other tokens than the excerpt has. */
export function changeAt(
  { tokens: read, at_token, everywhere }: Pick<AblationEffectResponse, "tokens" | "at_token" | "everywhere">,
  tokens: readonly string[],
  token: number,
): { there: number; everywhere: number } | null {
  const start = read.length - tokens.length; // a model may put a start mark before a text
  const isSame = start >= 0 && tokens.slice(0, token + 1).every((text, at) => read[start + at]?.text === text);
  const there = at_token[start + token - 1];
  const all = everywhere[start + token - 1];
  return isSame && there != null && all != null ? { there, everywhere: all } : null;
}

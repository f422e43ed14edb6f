import { Link, useSearchParams } from "react-router";

import { ExcerptText } from "@/components/excerpt-line";
import { Token, TokenPair } from "@/components/token";
import { strongestOf, textOf, type Excerpt, type PairEnd } from "@/lib/excerpt";
import { formatMagnitude } from "@/lib/format";

import { signed } from "../text-readout";
import { excerptQuestion } from "./excerpt-question";

export interface OpenExcerptProps {
  component: string;
  excerpt: Excerpt;
  maximum: number;
  end: PairEnd;
  pointed: number | null;
}

const LISTED = 4;

/** The whole excerpt, its strongest tokens in words, and what can be done with it. */
export function OpenExcerpt({ component, excerpt, ...drawing }: OpenExcerptProps) {
  const [, setParams] = useSearchParams();
  const question = excerptQuestion(excerpt, component);
  return (
    <div className="exopen">
      <ExcerptText excerpt={excerpt} {...drawing} />
      <p className="read">
        <span className="quiet">strongest</span>
        {strongestOf(excerpt, LISTED).map(({ token, key, value }) => (
          <span key={`${token}-${key ?? ""}`} className="attended">
            {key === null ? (
              <Token text={excerpt.tokens[token] ?? ""} index={token} />
            ) : (
              <TokenPair
                from={{ text: excerpt.tokens[token] ?? "", index: token }}
                to={{ text: excerpt.tokens[key] ?? "", index: key }}
              />
            )}{" "}
            {key === null ? signed(value) : formatMagnitude(value)}
          </span>
        ))}
        <span className="end">
          <button
            type="button"
            className="btn small"
            onClick={() => {
              setParams(
                (old) => {
                  old.set("text", textOf(excerpt));
                  return old;
                },
                { replace: true },
              );
              document.getElementById("your-text-title")?.scrollIntoView({ block: "center" });
            }}
          >
            Edit as your text
          </button>
          {question && (
            <Link className="btn small" to={{ pathname: "/", search: question }}>
              Explain what follows
            </Link>
          )}
        </span>
      </p>
    </div>
  );
}

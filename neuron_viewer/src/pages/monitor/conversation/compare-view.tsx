import { useQuery } from "@tanstack/react-query";

import { compareQuery } from "@/api/monitor";
import type { CompareRequest, ComparedToken } from "@/api/types";
import { Async } from "@/components/async";
import { Token } from "@/components/token";
import { maxAbs, textHeat } from "@/lib/color";
import { define } from "@/lib/define";
import { formatEffect } from "@/lib/format";

/** The same question without and with the concepts in force, from the same seed. */
export function CompareView({ request }: { request: CompareRequest }) {
  const query = useQuery(compareQuery(request));
  return (
    <div className="msg cmpm" role="group" aria-label="Compare">
      <span className="who">Compare</span>
      <div>
        <Async query={query} loading={<p className="note">Writing both replies</p>}>
          {(answer) =>
            answer && (
              <>
                <Reply name="Default" tokens={answer.default.tokens} first={answer.first_difference} />
                <Reply name="Steered" tokens={answer.steered.tokens} first={answer.first_difference} isSteered />
                <p className="note">
                  {request.temperature === 0 ? "Greedy" : `Temperature ${request.temperature}`}, same seed.{" "}
                  {answer.first_difference === null
                    ? "The replies are the same."
                    : "Below each token its probability; shading is the change in its log-probability by steering, " +
                      "in nats."}
                </p>
              </>
            )
          }
        </Async>
      </div>
    </div>
  );
}

type ReplyProps = { name: string; tokens: readonly ComparedToken[]; first: number | null; isSteered?: boolean };

function Reply({ name, tokens, first, isSteered = false }: ReplyProps) {
  const changes = tokens.map((token) => changeBySteering(token, isSteered));
  const maximum = Math.max(1, maxAbs(changes));
  return (
    <div className="cmprow">
      <span className="label">{name}</span>
      <span className="cmp">
        {tokens.map((token, index) => (
          <span
            key={index}
            className={index === first ? "ct diff" : "ct"}
            {...define("logprob_change", { exact: changes[index], unit: "nats" })}
            title={`log-probability ${formatEffect(changes[index])} by steering`}
          >
            <span style={textHeat(changes[index] ?? 0, maximum)}>
              <Token text={token.text} />
            </span>
            <span className="idx">{Math.exp(token.logprob).toFixed(2).replace(/^0/, "")}</span>
          </span>
        ))}
      </span>
    </div>
  );
}

/** How much likelier steering makes the token after the same text. */
export function changeBySteering(token: ComparedToken, isSteered: boolean): number {
  return isSteered ? token.logprob - token.other_logprob : token.other_logprob - token.logprob;
}

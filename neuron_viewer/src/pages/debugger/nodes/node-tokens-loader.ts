/** Asks for the token lists of all rows that came on screen together in one request. */

import { errorOf } from "@/api/errors";
import { client, unwrap } from "@/api/fetch";
import type { CaseSpec, NodeTokens } from "@/api/types";
import type { Bases } from "@/lib/bases";

/** Tokens in each list: an open row shows them all, a closed one the first three. */
export const LIST_LENGTH = 4;
const WAIT = 40;
const MOST = 64;

type Waiting = {
  node: string;
  signal: AbortSignal;
  resolve: (tokens: NodeTokens) => void;
  reject: (cause: unknown) => void;
};

let nextId = 0;

export class NodeTokensLoader {
  /** Short stand-in for the case in query keys. */
  readonly id = nextId++;
  private waiting: Waiting[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly spec: CaseSpec,
    private readonly other: CaseSpec | null,
    private readonly bases: Partial<Bases> = {},
  ) {}

  load(node: string, signal: AbortSignal): Promise<NodeTokens> {
    return new Promise((resolve, reject) => {
      this.waiting.push({ node, signal, resolve, reject });
      this.timer ??= setTimeout(() => this.flush(), WAIT);
    });
  }

  private flush(): void {
    this.timer = undefined;
    const wanted = this.waiting.filter(({ signal }) => !signal.aborted);
    this.waiting = [];
    for (let i = 0; i < wanted.length; i += MOST) void this.fetch(wanted.slice(i, i + MOST));
  }

  private async fetch(batch: readonly Waiting[]): Promise<void> {
    const stop = new AbortController();
    const stopIfUnwanted = () => {
      if (batch.every(({ signal }) => signal.aborted)) stop.abort();
    };
    for (const { signal } of batch) signal.addEventListener("abort", stopIfUnwanted);
    const nodes = [...new Set(batch.map(({ node }) => node))];
    const body = { case: this.spec, nodes, n: LIST_LENGTH, other_case: this.other, ...this.bases };
    try {
      const answer = await unwrap(client.POST("/api/node_tokens", { body, signal: stop.signal }));
      const found = new Map(answer.nodes.map((tokens) => [tokens.node, tokens]));
      for (const { node, resolve, reject } of batch) {
        const tokens = found.get(node);
        if (tokens) resolve(tokens);
        else reject(errorOf(404, { message: `The server gave no tokens for ${node}.` }));
      }
    } catch (cause) {
      for (const { reject } of batch) reject(cause);
    }
  }
}

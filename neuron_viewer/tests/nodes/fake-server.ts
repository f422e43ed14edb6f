/** A server that answers as the real one does, from the fixtures, with a stream that the test controls. */
import { http, HttpResponse } from "msw";
import { setupServer } from "msw/node";

import type { DebugResponse, Explanation, MeasureRequest, NodeTokensRequest } from "@/api/types";
import debug from "../fixtures/debug.json";

const response = debug as unknown as DebugResponse;

/** Nodes asked for, in the order of asking. */
export const measured: string[] = [];
/** The effect of a node: half its estimate, but where a test says otherwise. */
export const effects = new Map<string, number>();
export const failures: { message: string; hint: string }[] = [];

/** Which components' labels were asked for, call by call, and what there is to say of them. */
export const labelled: string[][] = [];
export const labels = new Map<string, Explanation[]>();

function effectOf(node: string): number {
  const row = response.nodes.find((one) => one.node === node);
  return effects.get(node) ?? (row?.values[0]?.total_effect ?? 1) * 0.9;
}

function event(name: string, data: unknown): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

export const server = setupServer(
  http.post("*/api/measure", async ({ request }) => {
    const { nodes } = (await request.json()) as MeasureRequest;
    const failure = failures.shift();
    if (failure) return HttpResponse.json({ error: "busy", ...failure }, { status: 503 });
    if (!request.headers.get("accept")?.includes("event-stream")) {
      return HttpResponse.json({
        objective: 6.12,
        effects: nodes.map((node) => ({ node, measured_effect: 3.04 })),
      });
    }
    measured.push(...nodes);
    const stream = nodes.map((node) => event("effect", { node, measured_effect: effectOf(node) }));
    return new HttpResponse(
      [event("objective", { objective: 6.12 }), ...stream, event("done", {})].join(""),
      {
        headers: { "Content-Type": "text/event-stream" },
      },
    );
  }),
  http.post("*/api/components/labels", async ({ request }) => {
    const { components } = (await request.json()) as { components: string[] };
    labelled.push(components);
    return HttpResponse.json({ labels: Object.fromEntries([...labels].filter(([name]) => components.includes(name))) });
  }),
  http.post("*/api/node_tokens", async ({ request }) => {
    const { nodes } = (await request.json()) as NodeTokensRequest;
    const list = (sign: number) =>
      [" up", "<b>down</b>", " side"].map((text, id) => ({ id, text, logit: sign * (3 - id) }));
    return HttpResponse.json({
      nodes: nodes.map((node) => ({ node, promotes: list(1), suppresses: list(-0.5) })),
    });
  }),
  http.post("*/api/components/:component/activations", ({ params }) => {
    const { tokens } = response.cases[0] ?? { tokens: [] };
    const activations = tokens.map((_, at) => tokens.slice(0, at + 1).map(() => 1 / (at + 1)));
    return HttpResponse.json({ component: params["component"], results: [{ tokens, activations }] });
  }),
);

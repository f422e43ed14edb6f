/** The conversation as JSON, as a command, and as a Python script that writes it again. */
import type { GenerateRequest } from "@/api/types";
import { pythonLiteral } from "@/lib/python-literal";

import { shownRequest } from "../conversation-request";
import type { MonitorState } from "../monitor-state";

/** Everything that the reply follows from, and its tokens. */
export function conversationJson(state: MonitorState, model: string): string {
  const { prompt, messages, reply, kept, madeWith, concepts } = state;
  const told = { model, prompt, messages, reply_tokens: reply, kept_tokens: kept, ...madeWith, concepts };
  return `${JSON.stringify(told, null, 2)}\n`;
}

export function conversationCurl(state: MonitorState, origin: string): string {
  return `curl -s ${origin}/api/generate -H 'Content-Type: application/json' --data-binary @- <<'JSON'
${JSON.stringify(requestOf(state), null, 2)}
JSON
`;
}

/** Needs a running server and nothing but Python. */
export function conversationPython(state: MonitorState, origin: string): string {
  return `import json
from urllib.request import Request, urlopen

request = ${pythonLiteral(requestOf(state))}
call = Request(
    "${origin}/api/generate",
    data=json.dumps(request).encode(),
    headers={"Content-Type": "application/json"},
)
with urlopen(call) as answer:
    reply = json.load(answer)
print(reply["text"])
`;
}

/** The reply as it is steered now, in one piece. */
function requestOf(state: MonitorState): GenerateRequest {
  const inForce = state.concepts.filter((concept) => concept.enabled);
  return { ...shownRequest(state, inForce), stream: false };
}

import { pythonLiteral } from "@/lib/python-literal";
/** The request as commands that give the same numbers outside the browser. */
import type { DebugRequest } from "@/api/types";

export function asCurl(request: DebugRequest, origin: string): string {
  const body = JSON.stringify(request).replaceAll("'", "'\\''");
  return `curl -s ${origin}/api/debug \\\n  -H 'Content-Type: application/json' \\\n  -d '${body}'`;
}

/** Over HTTP, with nothing but the standard library. */
export function asPython(request: DebugRequest, origin: string): string {
  return `import json
from urllib.request import Request, urlopen

request = ${pythonLiteral(request)}
call = Request(
    "${origin}/api/debug",
    data=json.dumps(request).encode(),
    headers={"Content-Type": "application/json"},
)
with urlopen(call) as answer:
    response = json.load(answer)
for row in response["nodes"][:10]:
    print(row["node"], row["values"][0])
`;
}

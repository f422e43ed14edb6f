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

/** JSON as a Python literal: only the three constants differ. */
export function pythonLiteral(value: unknown, indent = 0): string {
  if (value === null || value === undefined) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  // JSON's escapes are Python's too, but for surrogate pairs, which JSON.stringify leaves as characters.
  if (typeof value !== "object") return JSON.stringify(value);
  const items = Array.isArray(value)
    ? value.map((item) => pythonLiteral(item, indent + 4))
    : Object.entries(value).map(([key, item]) => `${JSON.stringify(key)}: ${pythonLiteral(item, indent + 4)}`);
  const [open, close] = Array.isArray(value) ? "[]" : "{}";
  const flat = `${open}${items.join(", ")}${close}`;
  if (flat.length + indent <= 88 && !flat.includes("\n")) return flat;
  const pad = " ".repeat(indent + 4);
  return `${open}\n${items.map((item) => `${pad}${item},\n`).join("")}${" ".repeat(indent)}${close}`;
}

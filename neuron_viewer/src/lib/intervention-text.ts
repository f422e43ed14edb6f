/** Interventions as short sentences, for the URL: `ablate attn_L9_9 zero at 13.14 to 1`. */
import type { InterventionSpec } from "@/api/types";

export function interventionToText(spec: InterventionSpec): string {
  const words = [spec.kind, spec.component, ...settings(spec)];
  if (spec.positions) words.push("at", spec.positions.join("."));
  if (spec.key_positions) words.push("to", spec.key_positions.join("."));
  if (spec.kind === "patch" && spec.from_positions) {
    words.push("reading", spec.from_positions.join("."));
  }
  return words.join(" ");
}

function settings(spec: InterventionSpec): string[] {
  switch (spec.kind) {
    case "ablate":
      return [spec.value];
    case "set":
    case "scale":
      return [String(spec.value)];
    case "patch":
      return [String(spec.from_case)];
    case "steer":
      return [String(spec.strength), spec.method, spec.side];
  }
}

/** Null when the text is not such a sentence. */
export function textToIntervention(text: string): InterventionSpec | null {
  const words = text.split(" ");
  const [kind, component] = words;
  if (!kind || !component) return null;
  const value = words[2] ?? "";
  const where = {
    component,
    positions: positionsAfter("at", words),
    key_positions: positionsAfter("to", words),
  };
  switch (kind) {
    case "ablate":
      return { kind, ...where, value: value === "mean" ? "mean" : "zero" };
    case "set":
    case "scale":
      return isNumber(value) ? { kind, ...where, value: Number(value) } : null;
    case "patch":
      return {
        kind,
        ...where,
        from_case: value === "0" ? 0 : 1,
        from_positions: positionsAfter("reading", words),
      };
    case "steer":
      return isNumber(value) ? { kind, ...where, ...steering(Number(value), words) } : null;
    default:
      return null;
  }
}

function steering(strength: number, words: string[]) {
  const method = (["set", "add", "scale"] as const).find((name) => name === words[3]) ?? "set";
  const side = (["positive", "negative"] as const).find((name) => name === words[4]) ?? "positive";
  return { strength, method, side };
}

function isNumber(text: string): boolean {
  return text !== "" && Number.isFinite(Number(text));
}

function positionsAfter(word: string, words: string[]): number[] | null {
  const at = words.indexOf(word, 2);
  if (at < 0) return null;
  const positions = (words[at + 1] ?? "").split(".").filter(isNumber).map(Number);
  return positions.length > 0 ? positions : null;
}

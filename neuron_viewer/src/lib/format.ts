/** How numbers and tokens are written, everywhere. Units stand in headers and captions, never in cells. */

const MINUS = "\u2212";
export const NONE = "\u2013";
const GROUPED = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** Below this an effect is written in quiet ink, and with two significant figures rather than two decimals. */
export const EFFECT_ZERO = 0.005;
/** Smaller than float32 tells apart in logits of some tens: written `0`. */
const NOISE = 1e-6;

export function isZeroEffect(value: number): boolean {
  return Math.abs(value) < EFFECT_ZERO;
}

/** Effects and log-probabilities: always signed, true minus, two decimals; small ones keep two figures: `+0.0034`, `+3.4e\u22125`. */
export function formatEffect(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  if (size < NOISE) return "0";
  return signed(value, isZeroEffect(value) ? twoFigures(size) : size.toFixed(2));
}

/** Activations and writes: about four figures, `0.74`, `61.60`, `105.7`, `16,387`; small ones as effects are. */
export function formatMagnitude(value: number | null | undefined): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return NONE;
  const size = Math.abs(value);
  return (value < 0 && size > 0 ? MINUS : "") + magnitude(size);
}

function magnitude(size: number): string {
  if (size === 0) return "0";
  if (size < EFFECT_ZERO) return twoFigures(size);
  if (size < 99.995) return size.toFixed(2);
  if (size < 999.95) return size.toFixed(1);
  return GROUPED.format(size);
}

/** `0.0034`, `3.4e-5`: never wider than six letters but for exponents of two digits. */
function twoFigures(size: number): string {
  const [figures = "", exponent = ""] = size.toExponential(1).split("e-");
  return Number(exponent) <= 3 ? size.toFixed(4) : `${figures}e${MINUS}${exponent}`;
}

/** A probability in percent: one decimal in running text, two in tables. */
export function formatProb(prob: number | null | undefined, decimals: 1 | 2 = 1): string {
  if (prob === null || prob === undefined || !Number.isFinite(prob)) return NONE;
  if (prob < 0.0001) return "< 0.01%";
  if (decimals === 1 && prob < 0.0005) return `${(prob * 100).toFixed(2)}%`;
  return `${(prob * 100).toFixed(decimals)}%`;
}

/** A change in probability, in points: `-3.7 pt`, never percent. */
export function formatPoints(change: number, decimals: 1 | 2 = 1): string {
  return `${formatPointsBare(change, decimals)} pt`;
}

/** The same for a column whose header names the unit. */
export function formatPointsBare(change: number, decimals: 1 | 2 = 2): string {
  const text = Math.abs(change * 100).toFixed(decimals);
  return Number(text) === 0 ? "0" : signed(change, text);
}

/** Six significant figures, for the definition popover. */
export function formatExact(value: number): string {
  if (!Number.isFinite(value)) return NONE;
  if (value === 0) return "0";
  return signed(value, Math.abs(value).toPrecision(6).replace("e-", `e${MINUS}`));
}

export function formatCount(value: number | null): string {
  return value === null ? NONE : GROUPED.format(value);
}

function signed(value: number, digits: string): string {
  return (value < 0 ? MINUS : "+") + digits;
}

// --- tokens ---------------------------------------------------------------------------------------

/** A piece of a token's text; `quiet` pieces are marks that stand for white space or control bytes. */
export type TokenPart = { text: string; quiet: boolean };

const MARKS: Record<string, string> = { "\n": "\u21b5", "\t": "\u21e5", "\u00a0": "\u237d", "\ufffd": "\ufffd" };
// White space, C0/C1 controls, soft hyphen, zero-width and direction marks, separators, BOM, invalid bytes.
const HIDDEN =
  // eslint-disable-next-line no-control-regex
  /[\u0000-\u0020\u007f-\u00a0\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ufff9-\ufffd]/g;

/** Split a token so that nothing in it is invisible. In running text (an excerpt) spaces stay spaces. */
export function visibleParts(text: string, running = false): TokenPart[] {
  const parts: TokenPart[] = [];
  let from = 0;
  for (const found of text.matchAll(HIDDEN)) {
    const character = found[0];
    if (character === " " && running) continue;
    if (found.index > from) parts.push({ text: text.slice(from, found.index), quiet: false });
    parts.push({ text: mark(character), quiet: true });
    from = found.index + character.length;
  }
  if (from < text.length) parts.push({ text: text.slice(from), quiet: false });
  return parts;
}

function mark(character: string): string {
  if (character === " ") return "\u00b7";
  const known = MARKS[character];
  if (known) return known;
  const code = character.codePointAt(0) ?? 0;
  return code < 256 ? `\\x${code.toString(16).padStart(2, "0")}` : `\\u${code.toString(16).padStart(4, "0")}`;
}

/** The same as one string, for titles and places without markup. */
export function visibleText(text: string): string {
  return visibleParts(text)
    .map((part) => part.text)
    .join("");
}

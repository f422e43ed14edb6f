/** What is typed into the form's fields, read. */

export type Read<T> = { value: T } | { problem: string };

const FACTORS: Record<string, number> = { k: 1e3, m: 1e6, b: 1e9 };

/** `50000`, `50,000`, `50k`, `1.5M`; nothing typed is null. */
export function readCount(text: string): Read<number | null> {
  const plain = text.trim().toLowerCase().replaceAll(/[, _]/g, "");
  if (plain === "") return { value: null };
  const found = /^(\d+(?:\.\d+)?)([kmb]?)$/.exec(plain);
  const value = Number(found?.[1]) * (FACTORS[found?.[2] ?? ""] ?? 1);
  if (!found || !Number.isInteger(value) || value < 1) {
    return { problem: `${text.trim()} is no whole number from 1: write 50000, 50k or 2M.` };
  }
  return { value };
}

/** `all`, `0-3`, `1, 4-6`: layers of a model, in order, each once. */
export function readLayers(text: string, nLayers: number): Read<number[]> {
  const all = Array.from({ length: nLayers }, (_, layer) => layer);
  const plain = text.trim().toLowerCase();
  if (plain === "all") return { value: all };
  const layers = new Set<number>();
  for (const part of plain.split(",")) {
    const found = /^(\d{1,4})(?:\s*[-\u2013]\s*(\d{1,4}))?$/.exec(part.trim());
    if (!found) return { problem: `${part.trim() || "Nothing"} is no layer: write all, 0-${nLayers - 1} or 0,2.` };
    const [first, last] = [Number(found[1]), Number(found[2] ?? found[1])];
    if (last >= nLayers || first > last) {
      return { problem: `${part.trim()} is not within the layers 0 to ${nLayers - 1}.` };
    }
    for (let layer = first; layer <= last; layer += 1) layers.add(layer);
  }
  return { value: [...layers].sort((a, b) => a - b) };
}

/** Which nodes to measure next: those on screen first, then table order. */

/** Nodes of one request. The server lets other questions in between, and begins with few. */
export const BATCH_SIZE = 256;
/** A row on screen may wait for this many others before it is worth asking anew. */
const PATIENCE = 24;

export type MeasurePlan = {
  /** Every node to measure, in table order. */
  order: readonly string[];
  /** Those on screen, in table order. */
  visible: readonly string[];
};

export function nextBatch(
  { visible, order }: MeasurePlan,
  isDone: (node: string) => boolean,
  size: number = BATCH_SIZE,
): string[] {
  const batch = new Set<string>();
  for (const node of [...visible, ...order]) {
    if (batch.size >= size) break;
    if (!isDone(node)) batch.add(node);
  }
  return [...batch];
}

/** Whether what is on screen would wait too long for what is being measured. */
export function isOvertaken(
  { visible }: MeasurePlan,
  asked: readonly string[],
  isDone: (node: string) => boolean,
): boolean {
  const wanted = visible.filter((node) => !isDone(node));
  const soon = new Set(asked.filter((node) => !isDone(node)).slice(0, wanted.length + PATIENCE));
  return wanted.some((node) => !soon.has(node));
}

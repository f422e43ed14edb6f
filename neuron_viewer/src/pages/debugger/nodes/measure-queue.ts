/** Which nodes to measure next: those on screen first, then table order. */

export const BATCH_SIZE = 48;

export type MeasurePlan = {
  /** Every node to measure, in table order. */
  order: readonly string[];
  /** Those on screen, in table order. */
  visible: readonly string[];
};

export function nextBatch(
  plan: MeasurePlan,
  isDone: (node: string) => boolean,
  size: number = BATCH_SIZE,
): string[] {
  const batch = new Set<string>();
  const take = (nodes: readonly string[], most: number) => {
    for (const node of nodes) {
      if (batch.size >= most) return;
      if (!isDone(node)) batch.add(node);
    }
  };
  take(plan.visible, size);
  // What is on screen comes in a request of its own, so that it is not kept waiting by the rest.
  if (batch.size === 0) take(plan.order, size);
  return [...batch];
}

/** Which numbers of components and which strengths a sweep tries. */

export const SWEEP_STRENGTHS = [0, 0.1, 0.2, 0.3, 0.5, 0.75, 1];

/** All of them, then halves, at most four and smallest last to largest first: `28, 14, 7, 4`. */
export function sweepSizes(nMembers: number): number[] {
  const sizes: number[] = [];
  for (let size = nMembers; size >= 1 && sizes.length < 4; size = size === 1 ? 0 : Math.ceil(size / 2)) {
    sizes.push(size);
  }
  return sizes;
}

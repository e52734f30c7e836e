/** The way from a leaf of a binary tree to its root: what it is hashed with on each level, where there is something. Pure. */

/** @param levels from the leaves to the root; undefined where there is no such leaf */
export function collectSiblings<T>(levels: readonly (readonly T[])[], index: number): T[] | undefined {
  const count = levels[0]?.length ?? 0;
  if (!Number.isInteger(index) || index < 0 || index >= count) return undefined;
  return levels.slice(0, -1).flatMap((level, depth) => level[(index >> depth) ^ 1] ?? []);
}

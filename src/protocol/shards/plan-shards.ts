/** How a batch is cut: contiguous ranges of items, and for each its part of the reward. Pure. */

/** Rows along axis 0 of a task's input tensors. */
export interface ItemRange {
  readonly from: number;
  readonly count: number;
}

/** As many ranges as asked for, in order; their sizes differ by one at most. @param parallelism at most the number of items */
export function planShards({ from, count }: ItemRange, parallelism: number): ItemRange[] {
  const startOf = (shard: number) => Math.floor((shard * count) / parallelism);
  return Array.from({ length: parallelism }, (_, shard) => {
    return { from: from + startOf(shard), count: startOf(shard + 1) - startOf(shard) };
  });
}

/**
 * Each shard's part in wei, by its items. What does not divide goes to whichever shard makes the running total whole, so that
 * the parts are the reward exactly and each is less than one wei from its fraction.
 */
export function splitReward(rewardWei: bigint, shards: readonly ItemRange[]): bigint[] {
  const total = BigInt(shards.reduce((sum, { count }) => sum + count, 0));
  let items = 0n;
  let paid = 0n;
  return shards.map(({ count }) => {
    items += BigInt(count);
    const due = (rewardWei * items) / total - paid;
    paid += due;
    return due;
  });
}

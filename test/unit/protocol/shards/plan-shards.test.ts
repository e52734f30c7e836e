import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { type ItemRange, planShards, splitReward } from "../../../../src/protocol/shards/plan-shards.ts";

const aPlan = fc
  .record({ from: fc.nat(1_000), count: fc.integer({ min: 1, max: 2 ** 30 }) })
  .chain((items) =>
    fc.record({ items: fc.constant(items), parallelism: fc.integer({ min: 1, max: Math.min(256, items.count) }) }),
  );

describe("planShards", () => {
  test("ten items in four shards, from a place on", () => {
    expect(planShards({ from: 5, count: 10 }, 4)).toEqual([
      { from: 5, count: 2 },
      { from: 7, count: 3 },
      { from: 10, count: 2 },
      { from: 12, count: 3 },
    ]);
  });

  test("every item is in exactly one shard, in order, and no shard is empty or much larger than another", () => {
    fc.assert(
      fc.property(aPlan, ({ items, parallelism }) => {
        const shards = planShards(items, parallelism);
        expect(shards).toHaveLength(parallelism);
        let next = items.from;
        for (const { from, count } of shards) {
          expect(from).toBe(next);
          next += count;
        }
        expect(next).toBe(items.from + items.count);
        const sizes = shards.map(({ count }) => count);
        expect(Math.min(...sizes)).toBeGreaterThan(0);
        expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
    );
  });
});

describe("splitReward", () => {
  const aReward = fc.bigInt({ min: 0n, max: 10n ** 27n });

  test("the parts are the reward exactly, each less than a wei from its fraction", () => {
    fc.assert(
      fc.property(aPlan, aReward, ({ items, parallelism }, rewardWei) => {
        const shards = planShards(items, parallelism);
        const parts = splitReward(rewardWei, shards);
        expect(parts.reduce((sum, wei) => sum + wei, 0n)).toBe(rewardWei);
        const total = BigInt(items.count);
        for (const [index, wei] of parts.entries()) {
          const { count } = shards[index] as ItemRange;
          const off = wei * total - rewardWei * BigInt(count);
          expect(off > -total && off < total && wei >= 0n).toBe(true);
        }
      }),
    );
  });
});

import { describe, expect, test } from "vitest";
import { decideDuplicates, type ShardTime } from "../../../../src/protocol/shards/decide-duplicates.ts";

const rule = { factor: 2, floorMs: 1_000 };
const of = (state: ShardTime["state"], ms?: number, isDuplicated = false) => ({
  ...{ state, isDuplicated },
  ...(ms === undefined ? {} : { ms }),
});

describe("decideDuplicates", () => {
  const cases = [
    {
      name: "one that takes twice the median is due",
      shards: [of("Done", 2_000), of("Done", 3_000), of("Running", 4_000), of("Running", 3_900)],
      want: { indices: [2], againMs: 100 },
    },
    {
      name: "none before the floor, however short the others were",
      shards: [of("Done", 10), of("Done", 10), of("Running", 999)],
      want: { indices: [], againMs: 1 },
    },
    {
      name: "none while one waits for a worker",
      shards: [of("Done", 10), of("Done", 10), of("Running", 9_000), of("Waiting")],
      want: { indices: [] },
    },
    {
      name: "none before half of them are done",
      shards: [of("Done", 10), of("Running", 9_000), of("Running", 9_000)],
      want: { indices: [] },
    },
    {
      name: "none that was duplicated before",
      shards: [of("Done", 10), of("Running", 9_000, true)],
      want: { indices: [] },
    },
    { name: "nothing where all are done", shards: [of("Done", 10), of("Done", 20)], want: { indices: [] } },
  ];
  for (const { name, shards, want } of cases) {
    const all = shards.map((shard, index): ShardTime => ({ index, ...shard }));
    test(name, () => expect(decideDuplicates(all, rule)).toEqual(want));
  }
});

import { describe, expect, test } from "vitest";
import { readHeader } from "../../../../src/pool/batch-data.ts";
import type { BatchTask, VoteEvidence } from "../../../../src/pool/batch-evidence.ts";
import { batchHeaderTypes, hashMessage } from "../../../../src/protocol/typed-data.ts";
import { isBatchOf, isPicked } from "../../../../src/validator/dispute/pick-results.ts";
import { aBatch, aClaim, aProvenTask, aTask, domain } from "../a-batch.ts";

const me = "0xMe";
const by = (...validators: string[]) =>
  ({
    worker: "0xWorker",
    votes: validators.map((validator) => ({ validator }) as VoteEvidence),
  }) as unknown as BatchTask;

const cases = [
  { title: "two votes, by chance", task: by("0xA", "0xB"), rate: 0.02, chance: 0.019, want: true },
  { title: "two votes, not this time", task: by("0xA", "0xB"), rate: 0.02, chance: 0.02, want: false },
  { title: "one vote is always worth a look", task: by("0xA"), rate: 0.02, chance: 0.999, want: true },
  { title: "nobody approved it", task: by(), rate: 1, chance: 0, want: false },
  { title: "we approved it ourselves", task: by("0xA", me), rate: 1, chance: 0, want: false },
  { title: "our own work", task: { ...by("0xA"), worker: me }, rate: 1, chance: 0, want: false },
  { title: "the watch is off", task: by("0xA"), rate: 0, chance: 0, want: false },
  { title: "all are watched", task: by("0xA", "0xB", "0xC"), rate: 1, chance: 0.999, want: true },
];

describe("which results are run again", () => {
  test.each(cases)("$title: $want", ({ task, rate, chance, want }) => {
    expect(isPicked(task, { account: me, rate, fewVotes: 2 }, chance)).toBe(want);
  });
});

describe("what the pool shows of a batch", () => {
  test("is believed where it hashes to the settled header, with its tasks", async () => {
    const data = await aBatch([await aTask()]);
    const headerHash = hashMessage(domain, batchHeaderTypes, readHeader(data.header));
    expect(isBatchOf(domain, data, headerHash)).toBe(true);
    expect(isBatchOf(domain, data, `0x${"00".repeat(32)}`)).toBe(false);
    const late = await aBatch([await aTask()], { missed: [await aClaim()] });
    const lateHash = hashMessage(domain, batchHeaderTypes, readHeader(late.header));
    expect(isBatchOf(domain, late, lateHash)).toBe(true);
    expect(isBatchOf(domain, { ...late, missed: [] }, lateHash)).toBe(false);
    const proven = await aProvenTask();
    const shown = await aBatch([proven]);
    const shownHash = hashMessage(domain, batchHeaderTypes, readHeader(shown.header));
    expect(isBatchOf(domain, shown, shownHash)).toBe(true);
    const { proven: _, ...bare } = proven;
    expect(isBatchOf(domain, { ...shown, tasks: [bare] }, shownHash)).toBe(false);
    const [task] = data.tasks;
    expect(isBatchOf(domain, { ...data, tasks: [{ ...task!, rewardWei: "1" }] }, headerHash)).toBe(false);
  });
});

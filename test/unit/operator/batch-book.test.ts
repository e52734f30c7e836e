import { describe, expect, test } from "vitest";
import { BatchBook, type BatchRecord } from "../../../src/operator/batch-book.ts";
import type { ChainLink } from "../../../src/operator/chain-link.ts";
import { FinalBatch } from "../../../src/operator/final-batch.ts";
import { aRecordStore } from "../../support/memory-record-store.ts";

const kept = 64;
const hashOf = (sequence: number) => `0x${sequence.toString(16).padStart(64, "0")}`;

function aBook() {
  const stores = { states: aRecordStore(), bodies: aRecordStore() };
  const book = new BatchBook(stores);
  const apply = async (sequence: number) => {
    const body = { data: { header: {} }, members: [], spentByBudget: {} } as unknown as BatchRecord["body"];
    const record: BatchRecord = { sequence, state: "Proposed", headerHash: hashOf(sequence), body, signatures: {} };
    await book.propose(record);
    await book.advance(record, { state: "Applied" });
  };
  const applyUpTo = async (first: number, last: number) => {
    for (let sequence = first; sequence <= last; sequence++) await apply(sequence);
  };
  return { book, stores, applyUpTo };
}

describe("BatchBook", () => {
  test("keeps the newest batches, and older ones as long as finality needs them", async () => {
    const { book, applyUpTo } = aBook();
    book.pin([hashOf(1), hashOf(3)]);
    await applyUpTo(1, 100);
    const newest = Array.from({ length: kept }, (_, i) => 100 - kept + 1 + i);
    expect(book.keptFrom(1)).toEqual([1, 3, ...newest]);
    expect((await book.read(3))?.headerHash).toBe(hashOf(3));
    expect(await book.read(2)).toBeUndefined();
    // Finality moved on: what was the candidate is final, and what was final is of no use.
    book.pin([hashOf(3), hashOf(90)]);
    await applyUpTo(101, 101);
    expect(book.keptFrom(1)).toEqual([3, ...newest.map((sequence) => sequence + 1)]);
  });

  test("forgets nothing before it knows what finality needs, also after a restart", async () => {
    const { book, stores, applyUpTo } = aBook();
    await applyUpTo(1, kept + 5);
    expect(book.keptFrom(1)).toHaveLength(kept + 5);
    const restarted = new BatchBook(stores);
    await restarted.load();
    restarted.pin([hashOf(2)]);
    const last = await restarted.read(kept + 5);
    if (last === undefined) throw new Error("the last batch is not there");
    await restarted.advance(last, { state: "Applied" });
    expect(restarted.keptFrom(1)).toEqual([2, ...Array.from({ length: kept }, (_, i) => 6 + i)]);
  });
});

describe("FinalBatch", () => {
  test("finds the final batch after any number of others, since it was kept as the candidate", async () => {
    const { book, applyUpTo } = aBook();
    let [finalHash, candidate] = [hashOf(0), hashOf(1)];
    const client = { finalHeader: async () => finalHash, candidateHeader: async () => candidate };
    const final = new FinalBatch(book, { client } as unknown as ChainLink);
    expect(await final.refresh()).toBe(false);
    await applyUpTo(1, 300);
    expect(final.record).toBeUndefined();
    [finalHash, candidate] = [hashOf(1), hashOf(299)];
    expect(await final.refresh()).toBe(true);
    expect(final.record?.sequence).toBe(1);
    await applyUpTo(301, 600);
    [finalHash, candidate] = [hashOf(299), hashOf(600)];
    expect(await final.refresh()).toBe(true);
    expect(final.record?.sequence).toBe(299);
  });
});

import { describe, expect, test } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import type { BatchRecord } from "../../../src/operator/batch-book.ts";
import { BatchHealer } from "../../../src/operator/heal-batches.ts";

/** The chain as an endpoint tells it, and what the healer does to the books. */
function aScene({ isProposed = false } = {}) {
  const chain = { block: 100, sequence: 2n, headerHash: "0x02", isLive: true };
  let nowMs = 0;
  const did: string[] = [];
  const reads: number[] = [];
  const record = (sequence: number): BatchRecord =>
    ({
      ...{ sequence, headerHash: `0x0${sequence}`, state: "Applied", signatures: {} },
      body: { data: { header: { epoch: "1" } }, members: [] },
      outcome: { txHash: "0x", blockNumber: 90 + sequence, gasUsed: 1n },
    }) as never;
  const healer = new BatchHealer({
    book: {
      last: isProposed ? { ...record(3), outcome: undefined } : record(2),
      read: async (sequence: number) => {
        reads.push(sequence);
        return record(sequence);
      },
      keptFrom: () => [1, 2],
      reopen: async ({ sequence }: BatchRecord) => void did.push(`reopen ${sequence}`),
      dropAfter: async (sequence: number) => void did.push(`drop after ${sequence}`),
    },
    link: {
      client: {
        blockNumber: async () => chain.block,
        lastBatch: async () => ({ sequence: chain.sequence, headerHash: chain.headerHash, settledWei: 0n }),
        isLive: async () => chain.isLive,
      },
    },
    settler: async () => ({ recheck: async () => void did.push("recheck") }),
    clock: { monotonic: () => nowMs },
    logger: silentLogger,
    ledger: {},
    tell: () => undefined,
  } as never);
  const look = (afterMs = 2_000) => {
    nowMs += afterMs;
    return healer.heal();
  };
  return { chain, did, look, reads };
}

describe("the healer of batches", () => {
  test("lets be what the chain has", async () => {
    const { did, look } = aScene();
    expect(await look()).toBe(false);
    expect(did).toEqual([]);
  });

  test("reads the batch before an open one for each of its looks, not for each step between them", async () => {
    const { look, reads } = aScene({ isProposed: true });
    for (let step = 0; step < 21; step++) await look(100);
    expect(reads).toEqual([2, 2]);
  });

  test("takes back what two looks in a row do not find, and settles it again", async () => {
    const { chain, did, look } = aScene();
    Object.assign(chain, { sequence: 0n, headerHash: "0x00" });
    expect(await look()).toBe(true);
    expect(did).toEqual([]);
    expect(await look()).toBe(true);
    expect(did).toEqual(["reopen 1", "reopen 2", "recheck"]);
  });

  test("takes back nothing by the word of an endpoint that lags behind the batch's block", async () => {
    const { chain, did, look } = aScene();
    Object.assign(chain, { block: 91, sequence: 1n, headerHash: "0x01" });
    for (let time = 0; time < 3; time++) expect(await look()).toBe(false);
    expect(did).toEqual([]);
  });

  test("takes back nothing by one look at an endpoint that is behind for a moment", async () => {
    const { chain, did, look } = aScene();
    Object.assign(chain, { sequence: 1n, headerHash: "0x01" });
    await look();
    Object.assign(chain, { sequence: 2n, headerHash: "0x02" });
    expect(await look()).toBe(false);
    Object.assign(chain, { sequence: 1n, headerHash: "0x01" });
    await look();
    expect(did).toEqual([]);
  });

  test("drops what was rolled back, whose epoch is over, so that its tasks go into another batch", async () => {
    const { chain, did, look } = aScene();
    Object.assign(chain, { sequence: 1n, headerHash: "0x01", isLive: false });
    await look();
    await look();
    expect(did).toEqual(["drop after 1", "recheck"]);
  });
});

import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { silentLogger } from "../../../src/base/log.ts";
import { depositFor } from "../../../src/chain/bond.ts";
import type { ChainEvent } from "../../../src/chain/chain-event.ts";
import { watchEvents } from "../../../src/chain/events.ts";
import { aBatch, aSettler, aTask, type ChainFixture, certify, startChain } from "./chain-fixture.ts";

let chain: ChainFixture;

beforeAll(async () => {
  chain = await startChain();
  const batch = aBatch(chain, { tasks: [aTask(chain, 1)] });
  await (await aSettler(chain)).settle(batch.header, await certify(chain, batch.header));
});
afterAll(() => chain?.stop());

interface Watch {
  readonly fromBlock?: number;
  readonly confirmations?: number;
  readonly onEvent: (event: ChainEvent) => void;
  readonly onRange?: () => Promise<void>;
}

/** Watches until `done` holds, then stops the watch and waits for its end. */
async function watchUntil(
  done: () => boolean,
  { fromBlock = 0, confirmations = 1, ...handlers }: Watch,
): Promise<void> {
  const abort = new AbortController();
  const options = { client: chain.client, fromBlock, confirmations, ...handlers, pollMs: 20, logger: silentLogger };
  const watching = watchEvents({ ...options, signal: abort.signal });
  await vi.waitFor(() => expect(done()).toBe(true), { timeout: 10_000, interval: 10 }).finally(() => abort.abort());
  await watching;
}

describe("chain events", () => {
  test("come in order, from the first block on, each once", async () => {
    const events: ChainEvent[] = [];
    await watchUntil(() => events.some(({ kind }) => kind === "Settled"), {
      onEvent: (event) => void events.push(event),
    });
    const bonded = [...Array<string>(9).fill("Bonded")];
    expect(events.map(({ kind }) => kind)).toEqual(["Rotated", ...bonded, "Deposited", "Settled"]);
    expect(new Set(events.map(({ id }) => id)).size).toBe(events.length);
    expect(events.at(-1)).toMatchObject({ sequence: 1n, headerHash: expect.stringMatching(/^0x[0-9a-f]{64}$/) });
    expect(events.at(-2)).toMatchObject({ requester: chain.requester.address });
  });

  test("end with their range, which comes again where its end fails, without them", async () => {
    const events: string[] = [];
    const ends: number[] = [];
    await watchUntil(() => ends.length > 1, {
      onEvent: ({ id }) => void events.push(id),
      onRange: async () => {
        ends.push(events.length);
        if (ends.length === 1) throw new Error("not yet");
      },
    });
    expect(ends.slice(0, 2)).toEqual([12, 12]);
    expect(new Set(events).size).toBe(events.length);
  });

  test("that happen while watching are delivered, and earlier blocks are not", async () => {
    const events: ChainEvent[] = [];
    const fromBlock = (await chain.client.blockNumber()) + 1;
    const deposit = depositFor(chain.admin, [{ account: chain.workers[0]!.address, amountWei: 5n }]);
    await watchUntil(() => events.length > 0, { fromBlock, onEvent: (event) => void events.push(event) });
    await deposit;
    expect(events).toMatchObject([{ kind: "Deposited", requester: chain.workers[0]!.address, amountWei: 5n }]);
  });

  test("wait for their confirmations", async () => {
    const events: ChainEvent[] = [];
    await depositFor(chain.admin, [{ account: chain.workers[1]!.address, amountWei: 5n }]);
    const head = await chain.client.blockNumber();
    const abort = new AbortController();
    const polls = vi.spyOn(chain.client, "blockNumber");
    const onEvent = (event: ChainEvent) => void events.push(event);
    const options = {
      client: chain.client,
      fromBlock: head,
      confirmations: 3,
      onEvent,
      pollMs: 10,
      logger: silentLogger,
    };
    const watching = watchEvents({ ...options, signal: abort.signal });
    await vi.waitFor(() => expect(polls.mock.calls.length).toBeGreaterThan(3));
    expect(events).toEqual([]);
    await chain.provider.send("anvil_mine", ["0x2"]);
    await vi.waitFor(() => expect(events).toHaveLength(1), { timeout: 10_000 }).finally(() => abort.abort());
    await watching;
    polls.mockRestore();
  });

  test("come again after a handler failed, without those that it had handled", async () => {
    const seen: string[] = [];
    let failures = 0;
    const onEvent = (event: ChainEvent) => {
      if (event.kind === "Deposited" && failures === 0) {
        failures += 1;
        throw new Error("the handler's store is away");
      }
      seen.push(event.kind);
    };
    await watchUntil(() => seen.includes("Settled"), { onEvent });
    expect(seen.filter((kind) => kind === "Bonded")).toHaveLength(9);
    expect(seen.indexOf("Deposited")).toBeLessThan(seen.indexOf("Settled"));
  });

  test("survive an endpoint that fails in between", async () => {
    const events: ChainEvent[] = [];
    vi.spyOn(chain.client.provider, "getLogs").mockRejectedValueOnce(new Error("socket hang up"));
    await watchUntil(() => events.some(({ kind }) => kind === "Settled"), {
      onEvent: (event) => void events.push(event),
    });
    expect(events[0]?.kind).toBe("Rotated");
  });
});

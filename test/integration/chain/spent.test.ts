import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Registry } from "prom-client";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/base/clock.ts";
import { silentLogger } from "../../../src/base/log.ts";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import { configMaps } from "../../../src/kube/core-resources.ts";
import { BanBook } from "../../../src/operator/ban-book.ts";
import { BatchBook } from "../../../src/operator/batch-book.ts";
import { ChainLink } from "../../../src/operator/chain-link.ts";
import { SpentDuty } from "../../../src/operator/controllers/spent.ts";
import { FinalBatch } from "../../../src/operator/final-batch.ts";
import type { WorkerObject } from "../../../src/operator/kinds.ts";
import { createOperatorMetrics } from "../../../src/operator/metrics.ts";
import { RecordStore } from "../../../src/operator/record-store.ts";
import { writeBatch } from "../../../src/pool/batch-data.ts";
import type { Batch } from "../../../src/protocol/settlement.ts";
import { openFileClient } from "../../sim/exactly-once/file-client.ts";
import { aBatch, aSettler, aTask, type ChainFixture, certify, startChain, treasury } from "./chain-fixture.ts";

let chain: ChainFixture;
let dir: string;

beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), "inferium-spent-"));
  chain = await startChain();
});
afterAll(async () => {
  await chain?.stop();
  await rm(dir, { recursive: true, force: true });
});

const store = (kind: string) =>
  new RecordStore({ client: openFileClient(dir, configMaps), namespace: "system", pool: "test", kind });

function bodyOf(batch: Batch) {
  return { data: writeBatch(batch, undefined, { tasks: [], treasury }), members: [], spentByBudget: {} };
}

describe("a requester that asks its deposit back", () => {
  test("is paid what it has not spent: the pool proves what it has, as soon as that is final and again later", async () => {
    const settler = await aSettler(chain);
    const metrics = createOperatorMetrics(new Registry());
    const shared = { clock: systemClock, logger: silentLogger };
    const link = new ChainLink({
      ...shared,
      rpcUrl: chain.rpcUrl,
      addresses: chain.addresses,
      timeoutMs: 5_000,
      metrics,
    });
    const stopping = new AbortController();
    await link.connect(stopping.signal);
    const book = new BatchBook({ states: store("batch"), bodies: store("batch-body") });
    const settle = async (batch: Batch) => {
      const { header } = batch;
      const headerHash = hashHeader(chain.client.domain, header);
      await book.propose({
        sequence: Number(header.sequence),
        state: "Applied",
        headerHash,
        body: bodyOf(batch),
        signatures: {},
      });
      await settler.settle(header, await certify(chain, header));
    };
    const duty = new SpentDuty({
      ...{ link, final: new FinalBatch(book, link), settler: async () => settler, ...shared, pollMs: 20 },
      onFinal: () => undefined,
    });
    const requester = chain.requester.connect(chain.provider);
    await chain.provider.send("anvil_setBalance", [requester.address, "0xde0b6b3a7640000"]);
    const data = loadArtifact("TaskEscrow").abi.encodeFunctionData("requestWithdrawal", [10n ** 18n]);
    await (await requester.sendTransaction({ to: chain.addresses.escrow, data })).wait();
    const place = { id: "1", blockNumber: 1, blockHash: "", txHash: "" };
    duty.observe({ kind: "WithdrawalRequested", requester: requester.address, amountWei: 1n, readyAt: 0, ...place });
    const running = duty.run(stopping.signal);

    const first = aBatch(chain, { tasks: [aTask(chain, 1)] });
    await settle(first);
    const proven = () => chain.client.provenSpent(requester.address);
    await expect.poll(proven, { timeout: 10_000 }).toBe(10n ** 18n);
    await settle(aBatch(chain, { tasks: [aTask(chain, 2), aTask(chain, 3)], previous: first }));
    await expect.poll(proven, { timeout: 10_000 }).toBe(3n * 10n ** 18n);
    stopping.abort();
    await running;
    link.close();
  });
});

describe("a banned worker's GPUs", () => {
  const aWorker = (address: string, uuid: string) =>
    ({ spec: { address }, status: { hardware: { gpus: [{ uuid }] } } }) as unknown as WorkerObject;

  test("stay banned under another key, also after a restart, and others' are not", async () => {
    const bans = new BanBook(store("ban"));
    const cheater = aWorker(chain.workers[0]!.address, "GPU-1");
    expect(bans.isBanned(cheater)).toBe(false);
    await bans.ban(cheater);
    const restarted = new BanBook(store("ban"));
    await restarted.load();
    for (const book of [bans, restarted]) {
      expect(book.isBanned(aWorker(chain.workers[1]!.address, "GPU-1"))).toBe(true);
      expect(book.isBanned(aWorker(chain.workers[1]!.address, "GPU-2"))).toBe(false);
    }
  });
});

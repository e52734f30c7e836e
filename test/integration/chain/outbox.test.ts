import { Transaction } from "ethers";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { aBatch, aSettler, aTask, type ChainFixture, certify, memoryJournal, startChain } from "./chain-fixture.ts";

let chain: ChainFixture;

beforeEach(async () => {
  chain = await startChain();
});
afterEach(() => chain?.stop());

async function aSignedBatch(task: number) {
  const batch = aBatch(chain, { tasks: [aTask(chain, task)] });
  return { batch, certificate: await certify(chain, batch.header) };
}

const crashAt = (wanted: string) => (step: string) => {
  if (step === wanted) throw new Error(`crash after ${wanted}`);
};

describe("the settler's outbox", () => {
  test("a crash between persisting and broadcasting is made good with the same bytes", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const crashing = await aSettler(chain, { store, onStep: crashAt("persisted") });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash after persisted");
    expect((await chain.client.lastBatch()).sequence).toBe(0n);
    const { rawTransaction, txHash } = store.entries.get("settle/1/1")!;

    const restarted = await aSettler(chain, { store });
    expect(await restarted.resume()).toEqual([]);
    const outcome = await restarted.settle(batch.header, certificate);
    expect(outcome.txHash).toBe(txHash);
    expect((await chain.client.lastBatch()).sequence).toBe(1n);
    expect(store.entries.get("settle/1/1")).toMatchObject({ rawTransaction, status: "confirmed" });
    expect(await chain.settlerKey.getNonce()).toBe(1);
  });

  test("a crash before persisting leaves nothing behind", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const crashing = await aSettler(chain, { store, onStep: crashAt("signed") });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash after signed");
    expect(store.entries.size).toBe(0);
    await (await aSettler(chain, { store })).settle(batch.header, certificate);
    expect((await chain.client.lastBatch()).sequence).toBe(1n);
  });

  test("a crash after mining settles nothing twice", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const crashing = await aSettler(chain, { store, onStep: crashAt("mined") });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash after mined");
    const restarted = await aSettler(chain, { store });
    expect(await restarted.resume()).toEqual([]);
    await restarted.settle(batch.header, certificate);
    expect(await chain.settlerKey.getNonce()).toBe(1);
  });

  test("a broadcast that the endpoint lost is sent again, byte for byte", async () => {
    const sent: string[] = [];
    const original = chain.provider.broadcastTransaction.bind(chain.provider);
    vi.spyOn(chain.provider, "broadcastTransaction").mockImplementation(async (raw) => {
      sent.push(raw);
      if (sent.length === 1) throw new Error("socket hang up");
      if (sent.length === 2) return Promise.reject(new Error("request timeout"));
      return original(raw);
    });
    const { batch, certificate } = await aSignedBatch(1);
    await (await aSettler(chain)).settle(batch.header, certificate);
    expect(sent).toHaveLength(3);
    expect(new Set(sent).size).toBe(1);
  });

  test("a transaction that is never mined stays in the journal until it is", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const settler = await aSettler(chain, { store, timeoutMs: 200 });
    await chain.provider.send("evm_setAutomine", [false]);
    await expect(settler.settle(batch.header, certificate)).rejects.toMatchObject({
      code: "TransactionTimeout",
      disposition: "retry",
    });
    expect(await settler.resume()).toEqual(["settle/1/1"]);
    await chain.provider.send("evm_mine", []);
    const { txHash } = await settler.settle(batch.header, certificate);
    expect(txHash).toBe(store.entries.get("settle/1/1")!.txHash);
  });

  test("a nonce that somebody else used is noticed, and the batch settles with a new one", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const crashing = await aSettler(chain, { store, onStep: crashAt("persisted") });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash");
    await (await chain.settlerKey.sendTransaction({ to: chain.requester.address, value: 1n })).wait();

    const restarted = await aSettler(chain, { store });
    await restarted.settle(batch.header, certificate);
    expect((await chain.client.lastBatch()).sequence).toBe(1n);
    expect(store.entries.get("settle/1/1")!.nonce).toBe(1);
  });

  test("a batch that somebody else settled meanwhile counts as settled", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const crashing = await aSettler(chain, { store, onStep: crashAt("persisted") });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash");
    const stranger = await aSettler(chain, { signer: chain.admin.signer });
    const theirs = await stranger.settle(batch.header, certificate);

    const restarted = await aSettler(chain, { store });
    const ours = await restarted.settle(batch.header, certificate);
    expect(ours.txHash).toBe(theirs.txHash);
  });

  test("one sequence number is never signed for two headers", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const crashing = await aSettler(chain, { store, onStep: crashAt("persisted") });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash");
    const other = await aSignedBatch(2);
    const restarted = await aSettler(chain, { store });
    await expect(restarted.settle(other.batch.header, other.certificate)).rejects.toMatchObject({
      code: "SubjectConflict",
      disposition: "fatal",
    });
  });

  test("what the contract would refuse is not signed at all", async () => {
    const store = memoryJournal();
    const batch = aBatch(chain, { tasks: [aTask(chain, 1, 2_000n * 10n ** 18n)] });
    const settler = await aSettler(chain, { store });
    await expect(settler.settle(batch.header, await certify(chain, batch.header))).rejects.toMatchObject({
      code: "TransactionReverted",
      evidence: { revert: "SettledExceedsDeposits" },
    });
    expect(store.entries.size).toBe(0);
  });

  /** The chain's endpoint says too little gas, so often. */
  function underestimate(times: number): void {
    const { settlerKey } = chain;
    const estimate = settlerKey.estimateGas.bind(settlerKey);
    let left = times;
    vi.spyOn(settlerKey, "estimateGas").mockImplementation(async (transaction) => {
      const gas = await estimate(transaction);
      left -= 1;
      // 100,000 are added to an estimate: this is all that it costs to be in a block.
      return left >= 0 ? 1n : gas;
    });
  }

  test("a transaction that runs out of gas is signed again, with a new estimate", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const settler = await aSettler(chain, { store });
    underestimate(1);
    await settler.settle(batch.header, certificate);
    expect((await chain.client.lastBatch()).sequence).toBe(1n);
    expect(store.entries.get("settle/1/1")).toMatchObject({ status: "confirmed", nonce: 1 });
  });

  test("one that is mined without effect again and again is not taken for a refusal, and goes on later", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const settler = await aSettler(chain, { store });
    underestimate(3);
    const failed = { code: "TransactionFailed", disposition: "retry" };
    await expect(settler.settle(batch.header, certificate)).rejects.toMatchObject(failed);
    expect(await chain.settlerKey.getNonce()).toBe(3);
    expect((await chain.client.lastBatch()).sequence).toBe(0n);
    await settler.settle(batch.header, certificate);
    expect((await chain.client.lastBatch()).sequence).toBe(1n);
  });

  test("a replaced key signs anew what the account before it had under way, with nonces of its own", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const crashing = await aSettler(chain, { store, onStep: crashAt("persisted") });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash");
    const before = store.entries.get("settle/1/1")!;
    expect(Transaction.from(before.rawTransaction).from).toBe(chain.settlerKey.address);
    expect(before.payload).toMatchObject({
      header: { sequence: "1" },
      certificate: { bitmap: certificate.bitmap.toString() },
    });

    const { signer } = chain.admin;
    const nonce = await signer.getNonce();
    const replaced = await aSettler(chain, { store, signer });
    expect(await replaced.resume()).toEqual([]);
    await replaced.settle(batch.header, certificate);
    expect((await chain.client.lastBatch()).sequence).toBe(1n);
    expect(store.entries.get("settle/1/1")).toMatchObject({
      from: await signer.getAddress(),
      nonce,
      status: "confirmed",
    });
    expect(await chain.settlerKey.getNonce()).toBe(0);
  });

  test("where the old account's bytes are mined after all, the batch is settled once, and the new account finds it", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    await chain.provider.send("evm_setAutomine", [false]);
    const crashing = await aSettler(chain, { store, onStep: crashAt("broadcast") });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash");
    const { txHash } = store.entries.get("settle/1/1")!;
    const replaced = await aSettler(chain, { store, signer: chain.admin.signer });
    // While they are pending ours may be refused beforehand; the operator tries again, as here.
    const settle = () => replaced.settle(batch.header, certificate).then(() => "settled", String);
    const settled = expect.poll(settle, { timeout: 30_000 }).toBe("settled");
    await chain.provider.send("evm_setAutomine", [true]);
    await chain.provider.send("evm_mine", []);
    await settled;
    expect((await chain.client.lastBatch()).sequence).toBe(1n);
    expect((await chain.provider.getTransactionReceipt(txHash))?.status).toBeDefined();
    expect(await replaced.resume()).toEqual([]);
  });

  test("a journal of another chain is refused", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    await (await aSettler(chain, { store })).settle(batch.header, certificate);
    const entry = store.entries.get("settle/1/1")!;
    await store.save({ ...entry, chainId: entry.chainId + 1 });
    await expect(aSettler(chain, { store })).rejects.toMatchObject({ code: "WrongJournal" });
  });
});

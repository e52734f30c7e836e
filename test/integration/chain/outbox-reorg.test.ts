import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { parseUnits, Transaction, Wallet } from "ethers";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { loadArtifact } from "../../../src/chain/artifacts.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import { openSigner } from "../../../src/chain/open-signer.ts";
import { openProvider } from "../../../src/chain/provider.ts";
import { computeBatch } from "../../../src/protocol/settlement.ts";
import { aBatch, aSettler, aTask, type ChainFixture, certify, memoryJournal, startChain } from "./chain-fixture.ts";

let chain: ChainFixture;
let snapshot: string;

beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.stop());
beforeEach(async () => {
  snapshot = await chain.provider.send("evm_snapshot", []);
});
afterEach(async () => {
  await chain.provider.send("anvil_dropAllTransactions", []);
  await chain.provider.send("evm_setAutomine", [true]);
  await chain.provider.send("evm_revert", [snapshot]);
});

const rpc = (method: string, ...params: unknown[]) => chain.provider.send(method, params);
const mine = () => rpc("evm_mine");

async function aSignedBatch(task: number) {
  const batch = aBatch(chain, { tasks: [aTask(chain, task)] });
  return { batch, certificate: await certify(chain, batch.header) };
}

const lastSequence = async () => (await chain.client.lastBatch()).sequence;

/** Mines a block now and then, as a chain does that takes only what pays enough. */
async function whileMining<T>(work: Promise<T>, everyMs = 50): Promise<T> {
  let isDone = false;
  const done = work.finally(() => {
    isDone = true;
  });
  while (!isDone) {
    await mine();
    await Promise.race([done.catch(() => undefined), new Promise((resolve) => setTimeout(resolve, everyMs))]);
  }
  return done;
}

describe("a transaction that nobody mines", () => {
  test("is replaced by dearer ones of the same nonce, each persisted before it is sent, and one of them settles", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const nonce = await chain.settlerKey.getNonce();
    await rpc("evm_setAutomine", false);
    const settler = await aSettler(chain, { store, patienceMs: 150, timeoutMs: 30_000 });
    const settling = settler.settle(batch.header, certificate);
    await expect
      .poll(() => store.entries.get("settle/1/1")?.replaced?.length ?? 0, { timeout: 20_000 })
      .toBeGreaterThan(1);
    const outcome = await whileMining(settling);
    const entry = store.entries.get("settle/1/1")!;
    const forms = [...entry.replaced!, entry].map(({ rawTransaction }) => Transaction.from(rawTransaction));
    expect(new Set(forms.map((form) => form.nonce))).toEqual(new Set([nonce]));
    expect(new Set(forms.map((form) => form.data)).size).toBe(1);
    for (const [index, form] of forms.slice(1).entries()) {
      expect(form.maxFeePerGas! * 100n).toBeGreaterThanOrEqual(forms[index]!.maxFeePerGas! * 110n);
      expect(form.maxPriorityFeePerGas! * 100n).toBeGreaterThanOrEqual(forms[index]!.maxPriorityFeePerGas! * 110n);
    }
    expect(forms.map(({ hash }) => hash)).toContain(outcome.txHash);
    expect(await lastSequence()).toBe(1n);
    expect(await chain.settlerKey.getNonce()).toBe(nonce + 1);
  });

  test("is never raised above the highest fee that is allowed", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    await rpc("evm_setAutomine", false);
    const options = { store, patienceMs: 50, timeoutMs: 1_500, maxFeePerGasWei: parseUnits("3", "gwei") };
    const settling = (await aSettler(chain, options)).settle(batch.header, certificate);
    await expect(settling).rejects.toMatchObject({ code: "TransactionTimeout", disposition: "retry" });
    const { rawTransaction } = store.entries.get("settle/1/1")!;
    expect(Transaction.from(rawTransaction).maxFeePerGas).toBeLessThanOrEqual(parseUnits("3", "gwei"));
  });

  test("a form that was mined before the dearer one counts, also after a crash", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    await rpc("evm_setAutomine", false);
    const onStep = (step: string) => {
      if (step === "raise-persisted") throw new Error("crash");
    };
    const crashing = await aSettler(chain, { store, patienceMs: 50, onStep });
    await expect(crashing.settle(batch.header, certificate)).rejects.toThrow("crash");
    await mine();
    const outcome = await (await aSettler(chain, { store })).settle(batch.header, certificate);
    expect(outcome.txHash).toBe(store.entries.get("settle/1/1")!.replaced![0]!.txHash);
  });
});

describe("a gap in the nonces", () => {
  test("is filled by payments of nothing, so that the batch settles", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const nonce = await chain.settlerKey.getNonce();
    // As an endpoint says that holds two transactions of this account which nobody else has.
    const signer = Object.assign(new Wallet(chain.settlerKey.privateKey, chain.provider), {
      getNonce: async () => nonce + 2,
    });
    const settler = await aSettler(chain, { store, signer, patienceMs: 100, timeoutMs: 30_000 });
    await settler.settle(batch.header, certificate);
    expect(store.entries.get("settle/1/1")!.nonce).toBe(nonce + 2);
    expect([...store.entries.keys()].sort()).toEqual([`fill/${nonce}`, `fill/${nonce + 1}`, "settle/1/1"].sort());
    expect([...store.entries.values()].filter(({ status }) => status === "signed")).toEqual([]);
    expect(await chain.settlerKey.getNonce()).toBe(nonce + 3);
  });
});

describe("a reorganisation", () => {
  test("deeper than the confirmations: the same bytes settle the batch again", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const before = await rpc("evm_snapshot");
    const settler = await aSettler(chain, { store });
    const first = await settler.settle(batch.header, certificate);
    await rpc("evm_revert", before);
    expect(await lastSequence()).toBe(0n);
    await mine();
    const again = await settler.settle(batch.header, certificate);
    expect(again.txHash).toBe(first.txHash);
    expect(await lastSequence()).toBe(1n);
  });

  test("that lets another transaction take the nonce: signed anew, settled once", async () => {
    const store = memoryJournal();
    const { batch, certificate } = await aSignedBatch(1);
    const before = await rpc("evm_snapshot");
    const settler = await aSettler(chain, { store });
    const first = await settler.settle(batch.header, certificate);
    await rpc("evm_revert", before);
    await (await chain.settlerKey.sendTransaction({ to: chain.requester.address, value: 1n })).wait();
    const again = await settler.settle(batch.header, certificate);
    expect(again.txHash).not.toBe(first.txHash);
    expect(await lastSequence()).toBe(1n);
  });

  test("within the confirmations is waited for", async () => {
    const { batch, certificate } = await aSignedBatch(1);
    const settler = await aSettler(chain, { confirmations: 3, timeoutMs: 20_000 });
    const outcome = await whileMining(settler.settle(batch.header, certificate));
    expect((await chain.client.blockNumber()) - outcome.blockNumber).toBeGreaterThanOrEqual(2);
  });
});

describe("after a validator was removed", () => {
  test("a certificate of the epoch before is refused, and the number settles under the new epoch", async () => {
    const { batch, certificate } = await aSignedBatch(1);
    const [accused] = chain.validators;
    await rpc("anvil_impersonateAccount", chain.addresses.slashing);
    await rpc("anvil_setBalance", chain.addresses.slashing, "0xde0b6b3a7640000");
    const remover = await chain.provider.getSigner(chain.addresses.slashing);
    const removal = loadArtifact("ValidatorSets").abi.encodeFunctionData("remove", [[accused!.address]]);
    await (await remover.sendTransaction({ to: chain.addresses.validatorSets, data: removal })).wait();
    await rpc("anvil_stopImpersonatingAccount", chain.addresses.slashing);
    expect(await chain.client.isLive(1n)).toBe(false);
    const store = memoryJournal();
    const settler = await aSettler(chain, { store });
    await expect(settler.settle(batch.header, certificate)).rejects.toMatchObject({
      evidence: { revert: "EpochRetired" },
    });
    const anew = computeBatch({
      ...{ sequence: 1n, previousHash: batch.header.previousHash, epoch: 2n, createdAt: batch.header.createdAt },
      ...{
        previousBalances: new Map(),
        previousSpent: new Map(),
        tasks: [aTask(chain, 1)],
        treasury: accused!.address,
      },
    });
    const rest = { ...chain, validators: chain.validators.slice(1) };
    await settler.settle(anew.header, await certify(rest, anew.header));
    expect((await chain.client.lastBatch()).headerHash).toBe(hashHeader(chain.client.domain, anew.header));
  });
});

describe("several endpoints", () => {
  test("one that is away, one on another chain and one that is alive", async () => {
    const other = createServer((_, response) => {
      response.setHeader("content-type", "application/json").end('{"jsonrpc":"2.0","id":1,"result":"0x1"}');
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => other.once("listening", resolve));
    const wrong = `http://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const options = { timeoutMs: 2_000 };
    const provider = await openProvider({ ...options, rpcUrl: `http://127.0.0.1:1, ${chain.rpcUrl}` });
    expect(await provider.getBlockNumber()).toBeGreaterThan(0);
    provider.destroy();
    await expect(openProvider({ ...options, rpcUrl: `${chain.rpcUrl},${wrong}` })).rejects.toMatchObject({
      code: "WrongChainId",
      message: `${wrong} is on chain 1; expected 31337. Correct the URL or the chain id.`,
    });
    await expect(openProvider({ ...options, rpcUrl: chain.rpcUrl, chainId: 5 })).rejects.toMatchObject({
      code: "WrongChainId",
    });
    await expect(openProvider({ ...options, rpcUrl: "ftp://x" })).rejects.toMatchObject({ code: "InvalidRpcUrl" });
    other.close();
  });
});

describe("a remote signer", () => {
  async function startSigner(tamper: (transaction: Transaction) => void) {
    const wallet = new Wallet(chain.settlerKey.privateKey);
    const answer = async (method: string, params: Record<string, string>[]) => {
      if (method === "eth_accounts") return [wallet.address];
      const { from: _, gas, nonce, ...fields } = params[0]!;
      const request = Transaction.from({ ...fields, type: 2, gasLimit: gas!, nonce: Number(nonce) } as never);
      tamper(request);
      return { raw: await wallet.signTransaction(request), tx: {} };
    };
    const server = createServer(async (request, response) => {
      let text = "";
      for await (const chunk of request) text += chunk;
      const { id, method, params } = JSON.parse(text);
      response.setHeader("content-type", "application/json");
      response.end(JSON.stringify({ jsonrpc: "2.0", id, result: await answer(method, params) }));
    }).listen(0, "127.0.0.1");
    await new Promise((resolve) => server.once("listening", resolve));
    return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, close: () => server.close() };
  }

  test("settles a batch with a key that never leaves it", async () => {
    const remote = await startSigner(() => undefined);
    const { batch, certificate } = await aSignedBatch(1);
    const signer = await openSigner({ url: remote.url }, chain.provider);
    await (await aSettler(chain, { signer })).settle(batch.header, certificate);
    expect(await lastSequence()).toBe(1n);
    remote.close();
  });

  test("that signs something else is refused, and nothing is sent", async () => {
    const remote = await startSigner((transaction) => {
      transaction.to = chain.requester.address;
    });
    const { batch, certificate } = await aSignedBatch(1);
    const signer = await openSigner({ url: remote.url }, chain.provider);
    const settler = await aSettler(chain, { signer });
    await expect(settler.settle(batch.header, certificate)).rejects.toMatchObject({
      code: "SignerRefused",
      message: "The remote signer signed another transaction than it was asked for. Nothing was sent.",
    });
    expect(await lastSequence()).toBe(0n);
    remote.close();
  });

  test("without the account that is asked for says what it has", async () => {
    const remote = await startSigner(() => undefined);
    const asked = openSigner({ url: remote.url, address: chain.requester.address }, null);
    await expect(asked).rejects.toMatchObject({ code: "SignerAccount" });
    remote.close();
  });
});

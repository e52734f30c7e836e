import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { claimMany } from "../../../src/chain/bond.ts";
import { encodeSettle, type RewardClaim } from "../../../src/chain/calls.ts";
import { hashHeader } from "../../../src/chain/header.ts";
import { sendBatch } from "../../../src/chain/send-batch.ts";
import type { Batch } from "../../../src/protocol/settlement.ts";
import { aBatch, aSettler, aTask, type ChainFixture, certify, startChain } from "./chain-fixture.ts";

let chain: ChainFixture;
let first: Batch;
let second: Batch;

beforeAll(async () => {
  chain = await startChain();
  first = aBatch(chain, { tasks: [aTask(chain, 1), aTask(chain, 2), aTask(chain, 3)] });
  second = aBatch(chain, { tasks: [aTask(chain, 4)], previous: first });
});
afterAll(() => chain?.stop());

const claimsOf = (batch: Batch): RewardClaim[] =>
  [...batch.balances].map(([account, cumulativeWei], index) => ({
    account,
    cumulativeWei,
    proof: batch.balanceTree.proof(index),
  }));

async function settleRaw(batch: Batch, signers: number): Promise<unknown> {
  const data = encodeSettle(batch.header, await certify(chain, batch.header, signers));
  const planned = { action: "Settling", to: chain.addresses.settlement, data, gasLimit: 500_000n };
  return sendBatch(chain.admin.signer, [planned], { timeoutMs: 10_000 });
}

describe("a batch, from certificate to claim", () => {
  test("bonded nodes are active with their stake, role and payout", async () => {
    const worker = await chain.client.node(chain.workers[0]!.address);
    expect(worker).toMatchObject({ role: "Worker", state: "Active", stakeWei: 10_000n * 10n ** 18n });
    expect(worker.payout).toBe(chain.workers[0]!.address);
    expect(await chain.client.node(chain.requester.address)).toMatchObject({
      role: "None",
      state: "None",
      stakeWei: 0n,
    });
  });

  test("four of seven signatures do not make a certificate", async () => {
    await expect(certify(chain, first.header, 4)).rejects.toMatchObject({ code: "QuorumNotReached" });
  });

  test("a batch signed by five of seven validators settles", async () => {
    const settler = await aSettler(chain);
    const outcome = await settler.settle(first.header, await certify(chain, first.header));
    expect(outcome.gasUsed).toBeGreaterThan(21_000n);
    expect(await chain.client.lastBatch()).toEqual({
      sequence: 1n,
      headerHash: hashHeader(chain.client.domain, first.header),
      settledWei: first.header.settledWei,
    });
  });

  test("the same batch sent again is refused by the contract, and found by the settler", async () => {
    await expect(settleRaw(first, 5)).rejects.toMatchObject({ evidence: { revert: "WrongSequence" } });
    const settler = await aSettler(chain);
    const nonce = await chain.settlerKey.getNonce();
    await settler.settle(first.header, await certify(chain, first.header, 7));
    expect(await chain.settlerKey.getNonce()).toBe(nonce);
  });

  test("claims pay each account what the balance root proves, once", async () => {
    const claims = claimsOf(first);
    await claimMany(chain.admin, first.header, claims);
    for (const { account, cumulativeWei } of claims) {
      expect(await chain.client.balanceOf(account)).toBe(cumulativeWei);
      expect(await chain.client.claimed(account)).toBe(cumulativeWei);
    }
    await claimMany(chain.admin, first.header, claims);
    const worker = chain.workers[0]!.address;
    expect(await chain.client.balanceOf(worker)).toBe(first.balances.get(worker));
  });

  test("a claim above the proven balance is refused", async () => {
    const forged = claimsOf(first).map((claim) => ({ ...claim, cumulativeWei: claim.cumulativeWei + 1n }));
    await expect(claimMany(chain.admin, first.header, forged)).rejects.toMatchObject({
      evidence: { revert: "InvalidProof" },
    });
  });

  test("a task is verified against the chain alone, through later batches", async () => {
    const settler = await aSettler(chain);
    await settler.settle(second.header, await certify(chain, second.header));
    const path = [first.header, second.header];
    const proof = first.taskTree.proof(1);
    expect(await chain.client.verifyTask(path, aTask(chain, 2), proof)).toBe(true);
    expect(await chain.client.verifyTask(path, aTask(chain, 2, 7n), proof)).toBe(false);
    await expect(chain.client.verifyTask([first.header], aTask(chain, 2), proof)).rejects.toMatchObject({
      evidence: { revert: "HeaderNotSettled" },
    });
  });

  test("another header for a settled sequence number stops the settler", async () => {
    const settler = await aSettler(chain);
    const forked = aBatch(chain, { tasks: [aTask(chain, 99)] });
    await expect(settler.settle(forked.header, await certify(chain, forked.header))).rejects.toMatchObject({
      code: "ForeignBatch",
      disposition: "fatal",
    });
  });
});

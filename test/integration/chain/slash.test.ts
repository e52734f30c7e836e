import { id } from "ethers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { RejectedEvidence, Rejection } from "../../../src/chain/calls.ts";
import { oneToken } from "../../../src/chain/deploy-parameters.ts";
import { computeFaultId } from "../../../src/chain/faults.ts";
import { buildMerkleTree, hashVoteLeaf, type Vote } from "../../../src/protocol/merkle.ts";
import {
  attestationTypes,
  buildDomain,
  hashMessage,
  type ReceiptMessage,
  receiptTypes,
} from "../../../src/protocol/typed-data.ts";
import { aSettler, type ChainFixture, memoryJournal, startChain } from "./chain-fixture.ts";

let chain: ChainFixture;

beforeAll(async () => {
  chain = await startChain();
});
afterAll(() => chain?.stop());

function aReceipt(overrides: Partial<ReceiptMessage> = {}): ReceiptMessage {
  const digests = {
    modelDigest: id("model"),
    imageDigest: id("image"),
    codeDigest: id("code"),
    inputDigest: id("input"),
  };
  const times = { startedAtMs: 1_800_000_000_000, endedAtMs: 1_800_000_000_100 };
  const worker = chain.workers[0]!.address;
  return {
    taskId: id("task"),
    attempt: 1,
    worker,
    ...digests,
    outputDigest: id("wrong"),
    runtime: "cpu",
    ...times,
    ...overrides,
  };
}

const signReceipt = (receipt: ReceiptMessage, signer = 0) =>
  chain.workers[signer]!.signTypedData(buildDomain(chain.client.domain), receiptTypes, receipt);

/** A validator's votes on this receipt and on two others, signed as one. */
async function attest(receipt: ReceiptMessage, index: number, vote: Vote): Promise<Rejection> {
  const validator = chain.validators[index]!;
  const receiptDigest = hashMessage(chain.client.domain, receiptTypes, receipt);
  const outputDigest = id("right");
  const leaf = hashVoteLeaf({ taskId: receipt.taskId, attempt: receipt.attempt, receiptDigest, vote, outputDigest });
  const tree = buildMerkleTree([id("other vote"), leaf, id("third vote")]);
  const attestation = { validationId: id("validation"), votesRoot: tree.root, validator: validator.address };
  const signature = await validator.signTypedData(buildDomain(chain.client.domain), attestationTypes, attestation);
  return { attestation, signature, outputDigest, proof: tree.proof(1) };
}

async function evidenceAgainst(receipt: ReceiptMessage, votes: readonly Vote[]): Promise<RejectedEvidence> {
  const rejections = await Promise.all(votes.map((vote, index) => attest(receipt, index, vote)));
  return { receipt, workerSignature: await signReceipt(receipt), epoch: 1n, rejections };
}

describe("slashing with real signatures", () => {
  test("a result that three validators rejected costs its worker a tenth, once", async () => {
    const receipt = aReceipt();
    const evidence = await evidenceAgainst(receipt, ["Reject", "Reject", "Reject"]);
    const settler = await aSettler(chain);
    const outcome = await settler.slashRejected(evidence);
    expect(await chain.client.node(receipt.worker)).toMatchObject({
      state: "Underbonded",
      stakeWei: 9_000n * oneToken,
    });
    // The settler committed to no report beforehand: nothing is its own.
    expect(await chain.client.balanceOf(chain.settlerKey.address)).toBe(0n);
    expect(await chain.client.isSlashed(computeFaultId("rejected", receipt))).toBe(true);
    const again = await (await aSettler(chain)).slashRejected(evidence);
    expect(again).toEqual(outcome);
    expect(await chain.client.node(receipt.worker)).toMatchObject({ stakeWei: 9_000n * oneToken });
  });

  const refused: { title: string; votes: readonly Vote[]; want: string }[] = [
    { title: "one rejection is too few", votes: ["Reject"], want: "TooFewRejections" },
    { title: "an accepting vote among them is no evidence", votes: ["Reject", "Accept"], want: "InvalidVoteProof" },
    { title: "an abstention is no evidence", votes: ["Abstain", "Reject"], want: "InvalidVoteProof" },
  ];
  test.each(refused)("$title", async ({ votes, want }) => {
    const settler = await aSettler(chain);
    const evidence = await evidenceAgainst(aReceipt({ attempt: 2 }), votes);
    await expect(settler.slashRejected(evidence)).rejects.toMatchObject({ evidence: { revert: want } });
  });

  test("a receipt that the worker did not sign is no evidence", async () => {
    const settler = await aSettler(chain);
    const receipt = aReceipt({ attempt: 3 });
    const evidence = await evidenceAgainst(receipt, ["Reject", "Reject"]);
    const forged = { ...evidence, workerSignature: await signReceipt(receipt, 1) };
    await expect(settler.slashRejected(forged)).rejects.toMatchObject({ evidence: { revert: "NotSignedByWorker" } });
  });

  test("two different receipts for one attempt cost everything and ban the worker", async () => {
    const worker = chain.workers[1]!.address;
    const receiptA = aReceipt({ worker, outputDigest: id("one") });
    const receiptB = aReceipt({ worker, outputDigest: id("two") });
    const signatureA = await signReceipt(receiptA, 1);
    const signatureB = await signReceipt(receiptB, 1);
    // Estimated in the second of the last block and mined in another one, where the votes need new checkpoints.
    const { timestamp } = (await chain.provider.getBlock("latest"))!;
    await chain.provider.send("evm_setTime", [timestamp * 1_000]);
    const onStep = async (step: string) => {
      if (step === "persisted") await chain.provider.send("evm_setTime", [(timestamp + 30) * 1_000]);
    };
    const store = memoryJournal();
    const nonceBefore = await chain.settlerKey.getNonce();
    const settler = await aSettler(chain, { store, onStep });
    await settler.proveContradiction({ receiptA, signatureA, receiptB, signatureB });
    expect(await chain.client.node(worker)).toMatchObject({ state: "Disqualified", stakeWei: 0n });
    expect([...store.entries.values()].map(({ nonce }) => nonce)).toEqual([nonceBefore]);
  });
});

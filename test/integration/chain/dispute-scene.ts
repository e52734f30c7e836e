/** A settled result that one validator approved, on a chain whose validators are of different owners; and what a pool says of it. */
import { id } from "ethers";
import { writeBatch } from "../../../src/pool/batch-data.ts";
import type { BatchData, BatchTask, VoteEvidence } from "../../../src/pool/batch-evidence.ts";
import type { JudgeItem } from "../../../src/pool/duty.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import { buildMerkleTree, hashVoteLeaf } from "../../../src/protocol/merkle.ts";
import type { Batch } from "../../../src/protocol/settlement.ts";
import { attestationTypes, hashMessage, type ReceiptMessage, receiptTypes } from "../../../src/protocol/typed-data.ts";
import type { Execute } from "../../../src/validator/judge.ts";
import { aBatch, aSettler, aTask, type ChainFixture, certify, startChain, treasury } from "./chain-fixture.ts";

const digest = (byte: string) => `0x${byte.repeat(32)}`;
const hash = (byte: string) => `sha256:${byte.repeat(32)}` as const;
/** What an honest run gives. */
export const rightOutput = digest("c3");
export const wrongOutput = digest("ee");

/** Short phases. */
export const quickDisputes = { jurySize: 2, juryCommitSeconds: 30, juryRevealSeconds: 30, vetoSeconds: 1 } as const;

export function startDisputeChain(parameters: object = {}): Promise<ChainFixture> {
  return startChain({ ownBonds: true, blockSeconds: 0.1, parameters: { ...quickDisputes, ...parameters } });
}

export interface SettledResult {
  readonly data: BatchData;
  readonly task: BatchTask;
  readonly item: JudgeItem;
  readonly batch: Batch;
}

export interface ResultPlan {
  readonly outputDigest: string;
  /** Indexes of the validators that approved. */
  readonly approvers: readonly number[];
  readonly number?: number;
  readonly previous?: SettledResult;
}

export async function settleResult(chain: ChainFixture, plan: ResultPlan): Promise<SettledResult> {
  const { previous, number = 1 } = plan;
  const { domain } = chain.client;
  const plain = aTask(chain, number);
  const worker = createSigner(chain.workers[0]!.privateKey);
  const message: ReceiptMessage = {
    ...{
      taskId: plain.taskId,
      attempt: 1,
      worker: worker.address,
      modelDigest: digest("a1"),
      imageDigest: digest("00"),
    },
    ...{ codeDigest: digest("00"), inputDigest: digest("b2"), outputDigest: plan.outputDigest, runtime: "cpu" },
    ...{ startedAtMs: 1, endedAtMs: 2 },
  };
  const receipt = { message, signature: await worker.signTypedData(domain, receiptTypes, message) };
  const receiptDigest = hashMessage(domain, receiptTypes, message);
  const settled = { ...plain, receiptDigest };
  const batch = aBatch(chain, { tasks: [settled], ...(previous ? { previous: previous.batch } : {}) });
  await (await aSettler(chain)).settle(batch.header, await certify(chain, batch.header));
  const votes = await Promise.all(plan.approvers.map((index) => approve(chain, index, { message, receiptDigest })));
  const { taskId, attempt, requester, rewardWei, workerPayee: payee } = settled;
  const task: BatchTask = {
    ...{ taskId, attempt, receipt, receiptDigest, worker: worker.address, payee, requester, votes },
    rewardWei: rewardWei.toString(),
  };
  const item: JudgeItem = {
    ...{ taskId, attempt, receipt, verification: { policy: "Exact" } },
    model: { uri: "file:///model", digest: hash("a1") },
    input: { uri: "file:///input", digest: hash("b2") },
  };
  return { data: writeBatch(batch, previous?.data, { tasks: [task], treasury }), task, item, batch };
}

async function approve(
  chain: ChainFixture,
  index: number,
  { message, receiptDigest }: { readonly message: ReceiptMessage; readonly receiptDigest: string },
): Promise<VoteEvidence> {
  const signer = createSigner(chain.validators[index]!.privateKey);
  const { taskId, attempt, outputDigest } = message;
  const leaf = hashVoteLeaf({ taskId, attempt, receiptDigest, vote: "Accept", outputDigest });
  const tree = buildMerkleTree([id("another vote"), leaf]);
  const attestation = { validationId: id("validation"), votesRoot: tree.root, validator: signer.address };
  const signature = await signer.signTypedData(chain.client.domain, attestationTypes, attestation);
  return { ...attestation, signature, vote: "Accept", outputDigest, proof: tree.proof(1), payee: signer.address };
}

/** A machine that runs the model of `item` and always gets the right result. */
export const honestExecute: Execute = async () => ({
  outputs: new Map(),
  outputDigest: hash("c3"),
  inputDigest: hash("b2"),
  modelDigest: hash("a1"),
  runtime: { version: "1", provider: "cpu", isa: "avx2", level: "all" },
  items: 1,
});

/** A true batch of one paid task with two accepting votes, signed by everyone who must; tests tamper with copies of it. */

import { Wallet } from "ethers";
import { listValidators, readAgent, readAmounts, writeBatch } from "../../../src/pool/batch-data.ts";
import type {
  BatchData,
  BatchTask,
  ProofEvidence,
  SignedOrder,
  VoteEvidence,
} from "../../../src/pool/batch-evidence.ts";
import type { ProtocolSigner } from "../../../src/pool/signer.ts";
import { createSigner } from "../../../src/pool/signer.ts";
import type { ReceiptFields, SignedReceipt } from "../../../src/pool/wire.ts";
import type { SignedClaim } from "../../../src/pool/work-assignment.ts";
import { buildMerkleTree, hashVoteLeaf, type Vote } from "../../../src/protocol/merkle.ts";
import { endorsementOf, hashStatement, type ProofData, toStatement } from "../../../src/protocol/proof.ts";
import { computeBatch, zeroHash } from "../../../src/protocol/settlement.ts";
import {
  attestationTypes,
  type ClaimMessage,
  claimTypes,
  computeTaskId,
  computeValidationId,
  hashMessage,
  orderTypes,
  type ProtocolDomain,
  proofEndorsementTypes,
  receiptTypes,
} from "../../../src/protocol/typed-data.ts";

export const domain: ProtocolDomain = { chainId: 31337, settlement: "0x5FbDB2315678afecb367f032d93F642f64180aa3" };
export const otherDomain: ProtocolDomain = { ...domain, chainId: 1 };
export const pool = "test-pool";
export const nowMs = 1_800_000_000_000;
export const modelDigest = `0x${"a1".repeat(32)}`;

const key = (seed: number) => createSigner(`0x${seed.toString(16).padStart(64, "0")}`);
export const worker = key(11);
export const validators = [key(21), key(22), key(23)] as const;
export const requester = key(31);
export const treasury = new Wallet(`0x${"41".repeat(32)}`).address;
export const wei = (tokens: number) => BigInt(tokens) * 10n ** 18n;

export async function aReceipt(
  overrides: Partial<ReceiptFields> = {},
  signer: ProtocolSigner = worker,
): Promise<SignedReceipt> {
  const message: ReceiptFields = {
    taskId: computeTaskId("task-1"),
    attempt: 1,
    worker: worker.address,
    modelDigest,
    imageDigest: zeroHash,
    codeDigest: zeroHash,
    inputDigest: `0x${"b2".repeat(32)}`,
    outputDigest: `0x${"c3".repeat(32)}`,
    runtime: "onnxruntime/1.27.0 cpu avx2 all",
    startedAtMs: nowMs - 2000,
    endedAtMs: nowMs - 1000,
    ...overrides,
  };
  return { message, signature: await signer.signTypedData(domain, receiptTypes, message) };
}

/** Of another task than the receipt's, missed a minute before the batch. */
export async function aClaim(
  overrides: Partial<ClaimMessage> = {},
  signer: ProtocolSigner = worker,
): Promise<SignedClaim> {
  const taskId = computeTaskId("task-missed");
  const message = { taskId, attempt: 1, worker: worker.address, deadlineMs: nowMs - 60_000, ...overrides };
  return { message, signature: await signer.signTypedData(domain, claimTypes, message) };
}

export async function anOrder(
  overrides: Partial<SignedOrder["message"]> = {},
  extra: { readonly signer?: ProtocolSigner; readonly models?: readonly string[] } = {},
): Promise<SignedOrder> {
  const message = {
    requester: requester.address,
    pool,
    maxPerTaskWei: wei(10).toString(),
    maxTotalWei: wei(15).toString(),
    modelsRoot: zeroHash,
    expiresAt: nowMs / 1_000 + 60,
    nonce: "7",
    ...overrides,
  };
  const signature = await (extra.signer ?? requester).signTypedData(domain, orderTypes, message);
  return { message, signature, ...(extra.models && { models: extra.models }) };
}

interface VoteOptions {
  readonly vote?: Vote;
  /** Who signs, where it is not the validator itself. */
  readonly signer?: ProtocolSigner;
  readonly domain?: ProtocolDomain;
}

export async function aVote(
  validator: ProtocolSigner,
  receipt: SignedReceipt,
  options: VoteOptions = {},
): Promise<VoteEvidence> {
  const { taskId, attempt, outputDigest } = receipt.message;
  const vote = options.vote ?? "Accept";
  const receiptDigest = hashMessage(domain, receiptTypes, receipt.message);
  const leaf = hashVoteLeaf({ taskId, attempt, receiptDigest, vote, outputDigest });
  // A neighbour in the tree, so that there is a proof to be wrong.
  const tree = buildMerkleTree([leaf, `0x${"99".repeat(32)}`]);
  const message = {
    validationId: computeValidationId("validation-1"),
    votesRoot: tree.root,
    validator: validator.address,
  };
  const signer = options.signer ?? validator;
  const signature = await signer.signTypedData(options.domain ?? domain, attestationTypes, message);
  return { ...message, payee: validator.address, vote, outputDigest, proof: tree.proof(0), signature };
}

export async function aTask(overrides: Partial<BatchTask> = {}): Promise<BatchTask> {
  const receipt = overrides.receipt ?? (await aReceipt());
  return {
    taskId: receipt.message.taskId,
    attempt: receipt.message.attempt,
    receipt,
    receiptDigest: hashMessage(domain, receiptTypes, receipt.message),
    worker: worker.address,
    payee: worker.address,
    requester: requester.address,
    rewardWei: wei(10).toString(),
    votes: [await aVote(validators[0], receipt), await aVote(validators[1], receipt)],
    order: await anOrder(),
    ...overrides,
  };
}

/** The words of a proof that nobody has checked. */
export function aProof({ message }: SignedReceipt, overrides: Partial<ProofData> = {}): ProofData {
  const { taskId, attempt, worker: by } = message;
  const digest = `sha256:${message.modelDigest.slice(2)}`;
  return {
    ...{ taskId, attempt, worker: by, modelDigest: digest, verifyingKeyDigest: `sha256:${"e5".repeat(32)}` },
    ...{ rows: 1, salt: "77", signals: ["1", "2", "3"], words: ["1", "2", "3", "4", "5", "6", "7", "8"] },
    ...overrides,
  };
}

/** What stands in the place of votes where two validators endorsed a proof. */
export async function aProvenTask(
  change: Partial<ProofEvidence> = {},
  receipt?: SignedReceipt,
): Promise<BatchTask & { proven: ProofEvidence }> {
  const signed = receipt ?? (await aReceipt());
  const proof = change.proof ?? aProof(signed);
  const endorse = async (validator: ProtocolSigner) => ({
    ...{ validator: validator.address, payee: validator.address },
    signature: await validator.signTypedData(domain, proofEndorsementTypes, endorsementOf(proof, validator.address)),
  });
  const proven: ProofEvidence = {
    proof,
    model: { uri: "https://models.test/m.onnx", digest: proof.modelDigest },
    input: { inline: { x: { dtype: "uint8", shape: [1], data: [1] } } },
    output: { label: { dtype: "int64", shape: [1], data: [1] } },
    endorsements: [await endorse(validators[0]), await endorse(validators[1])],
    ...change,
  };
  return { ...(await aTask({ receipt: signed })), votes: [], proven };
}

interface BatchOptions {
  readonly sequence?: bigint;
  readonly epoch?: bigint;
  /** Whose amounts and header it stands on; sequence and hash are to be given as well. */
  readonly previous?: BatchData;
  readonly previousHash?: string;
  readonly previousBalances?: Readonly<Record<string, string>>;
  readonly missed?: readonly SignedClaim[];
}

/** With a header that fits its tasks, so that only what a test changed is wrong. */
export async function aBatch(tasks: readonly BatchTask[], options: BatchOptions = {}): Promise<BatchData> {
  const previousBalances = options.previousBalances ?? options.previous?.balances ?? {};
  const { missed = [] } = options;
  const batch = computeBatch({
    sequence: options.sequence ?? 1n,
    previousHash: options.previousHash ?? zeroHash,
    epoch: options.epoch ?? 1n,
    createdAt: BigInt(nowMs / 1_000),
    previousBalances: readAmounts(previousBalances),
    previousSpent: readAmounts(options.previous?.spent),
    tasks: tasks.map((task) => ({
      ...task,
      rewardWei: BigInt(task.rewardWei),
      workerPayee: task.payee,
      agent: readAgent(task),
      validatorPayees: listValidators(task).map(({ payee }) => payee),
      statementHash: task.proven && hashStatement(toStatement(task.proven.proof)),
    })),
    missed: missed.map(({ message }) => message),
    treasury,
  });
  return { ...writeBatch(batch, options.previous, { tasks, missed, treasury }), previousBalances };
}

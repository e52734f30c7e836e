/** What stands in a memory pool, and how a batch with all its evidence is made of it. */

import { readAgent, readAmounts, writeBatch } from "../../../src/pool/batch-data.ts";
import type { BatchData, BatchTask, SignedOrder } from "../../../src/pool/batch-evidence.ts";
import type { ValidateDuty } from "../../../src/pool/duty.ts";
import type { AttestRequest, ReceiptRequest, SignedReceipt } from "../../../src/pool/wire.ts";
import type { PolicyReference, WorkAssignment } from "../../../src/pool/work-assignment.ts";
import { buildMerkleTree, hashVoteLeaf, type MerkleTree } from "../../../src/protocol/merkle.ts";
import { computeBatch, zeroHash } from "../../../src/protocol/settlement.ts";
import { batchHeaderTypes, hashMessage, type ProtocolDomain, receiptTypes } from "../../../src/protocol/typed-data.ts";

export type Reveal = Extract<AttestRequest, { kind: "reveal" }>;
type Completed = Extract<ReceiptRequest["outcome"], { kind: "Completed" }>;

export interface TaskInput {
  readonly name: string;
  readonly model: WorkAssignment["model"];
  readonly input: WorkAssignment["input"];
  readonly verification: PolicyReference;
  readonly order: SignedOrder;
  readonly rewardWei: bigint;
  /** Until the attempt's deadline. */
  readonly timeoutMs?: number;
}

export interface PoolTask extends TaskInput {
  readonly taskId: string;
  attempt: number;
  /** Nodes that may not take it. */
  readonly excluded: Set<string>;
  state: "Queued" | "Running" | "Validating" | "Accepted" | "Rejected" | "Failed";
  outcome?: Completed;
  readonly failures: { readonly reason: string; readonly retryable: boolean }[];
}

export interface Panel {
  readonly task: PoolTask;
  readonly duty: ValidateDuty;
  readonly commits: Map<string, string>;
  readonly reveals: Map<string, Reveal>;
}

interface BatchPlace {
  readonly domain: ProtocolDomain;
  readonly treasury: string;
}

interface BatchWish {
  readonly panels: readonly Panel[];
  /** Of tasks. */
  readonly names: readonly string[];
  readonly previous: BatchData | undefined;
}

/** A batch of the accepted tasks named, on top of the one given. */
export function buildBatch({ domain, treasury }: BatchPlace, { panels, names, previous }: BatchWish): BatchData {
  const accepted = panels.filter(({ task }) => names.includes(task.name) && task.state === "Accepted");
  const batchTasks = accepted
    .filter((panel) => panel.reveals.size > 0 && panel.duty.items[0]?.attempt === panel.task.attempt)
    .map((panel) => buildBatchTask(domain, panel));
  const batch = computeBatch({
    sequence: BigInt(previous?.header.sequence ?? 0) + 1n,
    previousHash: previous === undefined ? zeroHash : hashHeader(domain, previous),
    epoch: 1n,
    createdAt: BigInt(Math.floor(Date.now() / 1000)),
    previousBalances: readAmounts(previous?.balances),
    previousSpent: readAmounts(previous?.spent),
    tasks: batchTasks.map((task) => ({
      ...task,
      rewardWei: BigInt(task.rewardWei),
      workerPayee: task.payee,
      agent: readAgent(task),
      validatorPayees: task.votes.map((vote) => vote.payee),
    })),
    treasury,
  });
  return writeBatch(batch, previous, { tasks: batchTasks, treasury });
}

export function hashHeader(domain: ProtocolDomain, { header }: BatchData): string {
  return hashMessage(domain, batchHeaderTypes, header);
}

function buildBatchTask(domain: ProtocolDomain, panel: Panel): BatchTask {
  const [item] = panel.duty.items;
  if (item === undefined) throw new Error("panel without items");
  const { receipt, taskId, attempt } = item;
  const { worker } = receipt.message;
  const accepting = [...panel.reveals].filter(([, reveal]) => reveal.votes[0]?.vote === "Accept");
  return {
    taskId,
    attempt,
    receipt,
    receiptDigest: digestOf(domain, receipt),
    worker,
    payee: worker,
    requester: panel.task.order.message.requester,
    rewardWei: panel.task.rewardWei.toString(),
    votes: accepting.map(([validator, reveal]) => ({
      validator,
      payee: validator,
      validationId: panel.duty.validationId,
      votesRoot: buildVoteTree(domain, panel, reveal).root,
      vote: "Accept" as const,
      outputDigest: reveal.votes[0]?.outputDigest ?? zeroHash,
      proof: buildVoteTree(domain, panel, reveal).proof(0),
      signature: reveal.signature,
    })),
    order: panel.task.order,
  };
}

function digestOf(domain: ProtocolDomain, receipt: SignedReceipt): string {
  return hashMessage(domain, receiptTypes, receipt.message);
}

export function buildVoteTree(domain: ProtocolDomain, panel: Panel, reveal: Reveal): MerkleTree {
  const leaves = panel.duty.items.map(({ taskId, attempt, receipt }, index) => {
    const vote = reveal.votes[index] ?? { vote: "Abstain" as const, outputDigest: zeroHash };
    return hashVoteLeaf({ taskId, attempt, receiptDigest: digestOf(domain, receipt), ...vote });
  });
  return buildMerkleTree(leaves);
}

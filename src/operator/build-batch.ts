/**
 * Stage 7: accepted tasks to a batch with all its evidence. Pure: what was gathered comes in, what will be persisted, signed
 * and settled comes out. Tasks that their requester's deposit or order does not cover stay behind, since one
 * of them would make the validators or the contract refuse the whole batch.
 */

import { listValidators, readAgent, readAmounts, writeAmounts, writeBatch } from "../pool/batch-data.ts";
import type { BatchTask, SignedOrder } from "../pool/batch-evidence.ts";
import type { SignedClaim } from "../pool/work-assignment.ts";
import { checksumAddress } from "../protocol/checksum-address.ts";
import { identifyBudget, type Order } from "../protocol/order.ts";
import { hashStatement, toStatement } from "../protocol/proof.ts";
import { type Batch, computeBatch, type SettledTask, zeroHash } from "../protocol/settlement.ts";
import type { BatchBody, BatchMember, BatchRecord, Totals } from "./batch-book.ts";

/** A task that is ready to be settled. */
export interface SettleCandidate extends BatchMember {
  readonly task: BatchTask;
  readonly order?: Order;
  /** Of a shard with two copies: the other one. */
  readonly otherUid?: string;
}

export interface BatchPlan {
  readonly previous: BatchRecord | undefined;
  readonly epoch: bigint;
  readonly createdAtMs: number;
  readonly treasury: string;
  readonly candidates: readonly SettleCandidate[];
  /** Claims whose deadline passed without an answer; they go along with tasks, never alone. */
  readonly missed?: readonly SignedClaim[];
  /** What a requester may ever have spent: its deposits, less what it took or asked back. */
  readonly spendableWei: ReadonlyMap<string, bigint>;
}

export interface PlannedBatch {
  readonly batch: Batch;
  readonly body: BatchBody;
}

const zeroAddress = `0x${"0".repeat(40)}`;

/** Undefined where no candidate is covered. */
export function buildBatch(plan: BatchPlan): PlannedBatch | undefined {
  const covered = payOnce(pickCovered(plan));
  if (covered.length === 0) return undefined;
  const previous = plan.previous?.body;
  const createdAt = BigInt(Math.floor(plan.createdAtMs / 1_000));
  // What the header's time does not say to have passed waits for another batch, or this one would be refused.
  const missed = (plan.missed ?? []).filter(({ message }) => BigInt(message.deadlineMs) <= createdAt * 1_000n);
  const batch = computeBatch({
    sequence: BigInt((plan.previous?.sequence ?? 0) + 1),
    previousHash: plan.previous?.headerHash ?? zeroHash,
    epoch: plan.epoch,
    createdAt,
    previousBalances: readAmounts(previous?.data.balances),
    previousSpent: readAmounts(previous?.data.spent),
    tasks: covered.map(({ task }) => toSettledTask(task)),
    missed: missed.map(({ message }) => message),
    treasury: plan.treasury,
  });
  const tasks = covered.map(({ task }) => task);
  const data = writeBatch(batch, previous?.data, {
    tasks,
    ...(missed.length > 0 ? { missed } : {}),
    treasury: plan.treasury,
  });
  const members = covered.map(({ key, uid }) => ({ key, uid }));
  const spentByBudget = addTotals(
    previous?.spentByBudget,
    covered,
    ({ order }) => order && identifyBudget(order.message),
  );
  return { batch, body: { data, members, spentByBudget } };
}

export function toSettledTask(task: BatchTask): SettledTask {
  return {
    taskId: task.taskId,
    attempt: task.attempt,
    receiptDigest: task.receiptDigest,
    worker: task.worker,
    workerPayee: task.payee,
    requester: task.requester,
    rewardWei: BigInt(task.rewardWei),
    validatorPayees: listValidators(task).map(({ payee }) => payee),
    ...(task.proven ? { statementHash: hashStatement(toStatement(task.proven.proof)) } : {}),
    ...(task.agent ? { agent: readAgent(task) } : {}),
  };
}

function pickCovered(plan: BatchPlan): SettleCandidate[] {
  const byRequester = readAmounts(plan.previous?.body.data.spent);
  const byBudget = readAmounts(plan.previous?.body.spentByBudget);
  return plan.candidates.filter(({ task, order }) => {
    const reward = BigInt(task.rewardWei);
    if (reward === 0n) return true;
    if (!order) return false;
    const budget = identifyBudget(order.message);
    const ofRequester = (byRequester.get(task.requester) ?? 0n) + reward;
    const ofBudget = (byBudget.get(budget) ?? 0n) + reward;
    if (ofRequester > (plan.spendableWei.get(task.requester) ?? 0n) || ofBudget > order.message.maxTotalWei)
      return false;
    byRequester.set(task.requester, ofRequester);
    byBudget.set(budget, ofBudget);
    return true;
  });
}

/** Of two copies of one shard the first has the reward, and the other one is settled without. */
function payOnce(covered: readonly SettleCandidate[]): SettleCandidate[] {
  const paid = new Set<string>();
  return covered.map((candidate) => {
    const { uid, otherUid, order, ...rest } = candidate;
    if (BigInt(candidate.task.rewardWei) === 0n) return candidate;
    paid.add(uid);
    if (otherUid === undefined || !paid.has(otherUid)) return candidate;
    const { order: _, ...task } = rest.task;
    return { ...rest, uid, otherUid, task: { ...task, rewardWei: "0" } };
  });
}

function addTotals(
  before: Totals | undefined,
  covered: readonly SettleCandidate[],
  nameOf: (candidate: SettleCandidate) => string | undefined,
): Totals {
  const totals = readAmounts(before);
  for (const candidate of covered) {
    const name = nameOf(candidate);
    if (name !== undefined) totals.set(name, (totals.get(name) ?? 0n) + BigInt(candidate.task.rewardWei));
  }
  return writeAmounts(totals);
}

export function writeOrder(order: Order): SignedOrder {
  const { requester, pool, maxPerTaskWei, maxTotalWei, modelsRoot, expiresAt, nonce } = order.message;
  return {
    message: {
      requester,
      pool,
      maxPerTaskWei: maxPerTaskWei.toString(),
      maxTotalWei: maxTotalWei.toString(),
      modelsRoot,
      expiresAt,
      nonce: nonce.toString(),
    },
    signature: order.signature,
    ...(order.models ? { models: order.models } : {}),
  };
}

/** A task that nobody pays for still needs an address in its leaf. */
export function requesterOf(spec: { readonly requester?: string }): string {
  return spec.requester ? checksumAddress(spec.requester) : zeroAddress;
}

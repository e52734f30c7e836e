/**
 * Stage 7: a batch of accepted tasks becomes two roots. The operator builds with `computeBatch`; every validator runs the
 * same function over the same data and signs only what it arrives at itself. Pure.
 */
import { InferiumError } from "../base/errors.ts";
import {
  buildBalanceTree,
  buildMerkleTree,
  hashMissedLeaf,
  hashTaskLeaf,
  type MerkleTree,
  type TaskLeaf,
} from "./merkle.ts";
import { type AgentShares, computeRevenueSplit, computeRewardSplit } from "./reward.ts";
import type { BatchHeaderMessage, ClaimMessage } from "./typed-data.ts";

export interface SettledTask {
  readonly taskId: string;
  readonly attempt: number;
  readonly receiptDigest: string;
  readonly worker: string;
  readonly workerPayee: string;
  readonly requester: string;
  readonly rewardWei: bigint;
  readonly validatorPayees: readonly string[];
  /** Of the statement that a proof showed; absent where validators re-executed the task. */
  readonly statementHash?: string | undefined;
  /** Whose revenue the reward is; absent for all but windows of an agent's calls. */
  readonly agent?: SettledAgent | undefined;
}

export interface SettledAgent {
  /** Settled once, like a task. */
  readonly windowId: string;
  readonly creator: string;
  readonly shares: AgentShares;
}

export interface BatchInput {
  readonly sequence: bigint;
  /** EIP-712 digest of the header before; 32 zero bytes for the first. */
  readonly previousHash: string;
  readonly epoch: bigint;
  readonly createdAt: bigint;
  /** Cumulative credits by checksummed address. */
  readonly previousBalances: ReadonlyMap<string, bigint>;
  /** Cumulative spending of requesters by checksummed address. */
  readonly previousSpent: ReadonlyMap<string, bigint>;
  readonly tasks: readonly SettledTask[];
  /** Claims whose deadline passed without an answer: leaves behind those of the tasks. */
  readonly missed?: readonly ClaimMessage[];
  readonly treasury: string;
}

export interface Batch {
  readonly header: BatchHeaderMessage;
  readonly taskTree: MerkleTree;
  readonly balanceTree: MerkleTree;
  /** Cumulative credits after the batch, in the order of the balance leaves (ascending address). */
  readonly balances: ReadonlyMap<string, bigint>;
  /** Cumulative spending after the batch, in the order of the spent leaves (ascending address, after the balances). */
  readonly spent: ReadonlyMap<string, bigint>;
}

export const zeroHash = `0x${"0".repeat(64)}`;
export const maxBatchTasks = 1024;
export const maxBatchMissed = 64;

/** @throws InferiumError EmptyBatch, BatchTooLarge, DuplicateTask, DuplicateWindow */
export function computeBatch(input: BatchInput): Batch {
  checkTasks(input.tasks);
  const balances = creditTasks(input);
  const spent = debitTasks(input);
  const taskTree = buildTaskTree(input.tasks, input.missed);
  const balanceTree = buildBalanceTree(balances, spent);
  const header: BatchHeaderMessage = {
    sequence: input.sequence,
    previousHash: input.previousHash,
    epoch: input.epoch,
    taskRoot: taskTree.root,
    balanceRoot: balanceTree.root,
    taskCount: input.tasks.length,
    settledWei: [...balances.values()].reduce((sum, wei) => sum + wei, 0n),
    createdAt: input.createdAt,
  };
  return { header, taskTree, balanceTree, balances, spent };
}

/** The tree behind a batch's task root. */
export function buildTaskTree(tasks: readonly TaskLeaf[], missed: readonly ClaimMessage[] = []): MerkleTree {
  return buildMerkleTree([...tasks.map(hashTaskLeaf), ...missed.map(hashMissedLeaf)]);
}

function checkTasks(tasks: readonly SettledTask[]): void {
  if (tasks.length === 0) throw new InferiumError("EmptyBatch", "A batch needs at least one task, got none.");
  if (tasks.length > maxBatchTasks) {
    throw new InferiumError("BatchTooLarge", `A batch has ${tasks.length} tasks; at most ${maxBatchTasks} fit.`);
  }
  const ids = new Set(tasks.map((task) => task.taskId));
  if (ids.size !== tasks.length) throw new InferiumError("DuplicateTask", "A task stands in the batch more than once.");
  const windows = tasks.flatMap(({ agent }) => agent?.windowId ?? []);
  if (new Set(windows).size === windows.length) return;
  throw new InferiumError("DuplicateWindow", "A window of calls stands in the batch more than once.");
}

function creditTasks(input: BatchInput): Map<string, bigint> {
  const balances = new Map(input.previousBalances);
  // A batch that pays nothing still needs a balance leaf, or its root would not exist.
  if (!balances.has(input.treasury)) balances.set(input.treasury, 0n);
  for (const task of input.tasks) {
    for (const [account, wei] of splitReward(task, input.treasury)) {
      balances.set(account, (balances.get(account) ?? 0n) + wei);
    }
  }
  return sortByAddress(balances);
}

/** Of a window of calls, whoever is paid for the work hosts the agent. */
function splitReward(task: SettledTask, treasury: string): Map<string, bigint> {
  const { agent, rewardWei, workerPayee, validatorPayees } = task;
  if (agent === undefined) return computeRewardSplit({ ...task, treasury });
  const { creator, shares } = agent;
  return computeRevenueSplit({ revenueWei: rewardWei, creator, host: workerPayee, validatorPayees, treasury, shares });
}

/** Who pays nothing is in nobody's debt, and in no leaf. */
function debitTasks({ previousSpent, tasks }: BatchInput): Map<string, bigint> {
  const spent = new Map(previousSpent);
  for (const { requester, rewardWei } of tasks) {
    if (rewardWei > 0n) spent.set(requester, (spent.get(requester) ?? 0n) + rewardWei);
  }
  return sortByAddress(spent);
}

export function sortByAddress(amounts: ReadonlyMap<string, bigint>): Map<string, bigint> {
  return new Map([...amounts].sort(([a], [b]) => (a.toLowerCase() < b.toLowerCase() ? -1 : 1)));
}

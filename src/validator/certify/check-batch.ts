/**
 * Stage 7 for a validator: ordered, named checks over everything that a batch is made of; the first finding is why it is
 * not signed. Gathering (the chain, the record) is certify-duty.ts's; this is without effects, and pauses between tasks
 * only so that a thousand signatures do not stop the process from answering.
 */
import { setImmediate } from "node:timers/promises";
import { listValidators } from "../../pool/batch-data.ts";
import type { ProtocolDomain } from "../../protocol/typed-data.ts";
import { checkReceipt, digestReceipt } from "../check-receipt.ts";
import { checkAgent, type RegisteredAgent } from "./check-agents.ts";
import { checkDeposits } from "./check-deposits.ts";
import { checkEndorsements } from "./check-endorsements.ts";
import { checkHeader } from "./check-header.ts";
import { checkMissed } from "./check-missed.ts";
import { checkOrders } from "./check-orders.ts";
import { checkVotes, type VoteRules } from "./check-votes.ts";
import { type Finding, finding } from "./finding.ts";
import { isProven, type ParsedBatch, type ParsedTask, type ProvenTask } from "./parse-batch.ts";

export interface BatchRules {
  readonly domain: ProtocolDomain;
  readonly pool: string;
  readonly treasury: string;
  readonly minimumQuorum: number;
  readonly allowUnverified: boolean;
  /** Members of the validator set; undefined where the chain is not read. */
  readonly validators: ReadonlySet<string> | undefined;
  /** Who the chain says is paid for a node's work; undefined where the chain is not read. */
  readonly payouts: ReadonlyMap<string, string> | undefined;
  /** By requester, what the chain lets it spend in all; undefined where the chain is not read. */
  readonly spendable: ReadonlyMap<string, bigint> | undefined;
  /** Ids of tasks that are in a batch which this validator certified before. */
  readonly settledTasks: { has(taskId: string): boolean };
  /** Attempts with a receipt that this validator judged, see `attemptKey`. */
  readonly answered: ReadonlySet<string>;
  readonly spentWei: ReadonlyMap<string, bigint>;
  /** By agent id, what the chain says of the agents whose windows are in the batch; undefined where it is not read. */
  readonly agents: ReadonlyMap<string, RegisteredAgent> | undefined;
  readonly nowMs: number;
  /** Why a proof does not hold for the task's receipt; undefined where it does. */
  readonly checkProof: (task: ProvenTask) => Promise<Finding | undefined>;
}

/** The first finding, or what the orders' budgets have spent with this batch. */
export async function checkBatch(batch: ParsedBatch, rules: BatchRules): Promise<Finding | Map<string, bigint>> {
  if (batch.treasury !== rules.treasury) {
    return finding("WrongTreasury", `The batch pays treasury ${batch.treasury}; configured is ${rules.treasury}.`);
  }
  // Roots before signatures: they are cheap, and most mistakes show there.
  const header = checkHeader(batch, rules.nowMs);
  if (header !== undefined) return header;
  const again = batch.tasks.find((task) => rules.settledTasks.has(task.taskId));
  if (again !== undefined)
    return finding("SettledBefore", `Task ${again.taskId} is in a batch that was certified before.`);
  const deposits = rules.spendable && checkDeposits(batch, rules.spendable);
  if (deposits !== undefined) return deposits;
  const missed = checkMissed(batch, rules);
  if (missed !== undefined) return missed;
  const voteRules: VoteRules = { ...rules, signers: new Map() };
  for (const task of batch.tasks) {
    const found =
      checkTaskReceipt(task, rules) ??
      checkPayees(task, rules.payouts) ??
      checkAgent(task, rules) ??
      (await checkResult(task, voteRules, rules));
    if (found !== undefined) return found;
    await setImmediate();
  }
  return checkOrders(batch.tasks, rules);
}

/** By a proof that we check ourselves, with who stands for it, or by votes. */
async function checkResult(task: ParsedTask, voteRules: VoteRules, rules: BatchRules): Promise<Finding | undefined> {
  if (!isProven(task)) return checkVotes(task, voteRules);
  return checkEndorsements(task, voteRules) ?? (await rules.checkProof(task));
}

function checkTaskReceipt(task: ParsedTask, { domain }: BatchRules): Finding | undefined {
  const found = checkReceipt(domain, task.receipt, task);
  if (found !== undefined) return finding("ReceiptNotValid", `Task ${task.taskId}: ${found}.`);
  if (task.receipt.message.worker !== task.worker) {
    return finding("WorkerMismatch", `Task ${task.taskId} names worker ${task.worker}; its receipt is another's.`);
  }
  if (digestReceipt(domain, task.receipt) === task.receiptDigest) return undefined;
  return finding("ReceiptDigestMismatch", `Task ${task.taskId} names another digest than its receipt has.`);
}

function checkPayees(task: ParsedTask, payouts: ReadonlyMap<string, string> | undefined): Finding | undefined {
  if (payouts === undefined) return undefined;
  const validators = listValidators(task).map(({ validator, payee }) => [validator, payee]);
  const pairs = [[task.worker, task.payee], ...validators] as const;
  for (const [node = "", payee] of pairs) {
    const payout = payouts.get(node);
    if (payout === payee) continue;
    return finding(
      "WrongPayee",
      `Task ${task.taskId} pays ${payee} for ${node}; the chain says ${payout ?? "nobody"}.`,
    );
  }
  return undefined;
}

/**
 * Consent: nobody's deposit is debited without its signature, for this pool, within the bounds that were signed. The total
 * counts what this validator has certified before and all of this batch. Pure.
 */
import { digestToBytes32, isDigest } from "../../base/digest.ts";
import { identifyBudget, isModelAllowed, type Order } from "../../protocol/order.ts";
import { orderTypes, type ProtocolDomain, recoverSigner } from "../../protocol/typed-data.ts";
import { type Finding, finding } from "./finding.ts";
import type { ParsedTask } from "./parse-batch.ts";

export interface OrderRules {
  readonly domain: ProtocolDomain;
  readonly pool: string;
  /** By budget (identifyBudget), from the batches certified before. */
  readonly spentWei: ReadonlyMap<string, bigint>;
}

/** The first finding, or what the budgets have spent with this batch. */
export function checkOrders(tasks: readonly ParsedTask[], rules: OrderRules): Finding | Map<string, bigint> {
  const spent = new Map(rules.spentWei);
  const signers = new Map<string, string | undefined>();
  for (const task of tasks) {
    if (task.rewardWei === 0n) continue;
    if (task.order === undefined) return finding("OrderMissing", `Task ${task.taskId} pays and has no order.`);
    const found = checkOrder(task, task.order, { ...rules, signers }) ?? spend(task, task.order, spent);
    if (found !== undefined) return found;
  }
  return spent;
}

interface OneOrderRules extends OrderRules {
  readonly signers: Map<string, string | undefined>;
}

function checkOrder(task: ParsedTask, order: Order, rules: OneOrderRules): Finding | undefined {
  const { message } = order;
  const at = `of task ${task.taskId}`;
  if (message.requester !== task.requester) {
    return finding("RequesterMismatch", `The order ${at} is from ${message.requester}, not ${task.requester}.`);
  }
  const signer = recoverOrderSigner(order, rules);
  if (signer !== message.requester) {
    return finding("OrderNotSigned", `The order ${at} from ${message.requester} is signed by ${signer ?? "nobody"}.`);
  }
  if (message.pool !== rules.pool) {
    return finding(
      "OrderForOtherPool",
      `The order ${at} is for pool "${message.pool.slice(0, 64)}", not "${rules.pool}".`,
    );
  }
  // By the receipt and not by the clock: an order that was good when the work began must still be payable.
  if (task.receipt.message.startedAtMs >= message.expiresAt * 1_000) {
    return finding("OrderExpired", `The order ${at} had expired when the work began.`);
  }
  if (!allowsModel(order, task.receipt.message.modelDigest)) {
    return finding("ModelNotInOrder", `The order ${at} does not allow model ${task.receipt.message.modelDigest}.`);
  }
  if (task.rewardWei <= message.maxPerTaskWei) return undefined;
  return finding(
    "RewardAboveOrder",
    `The reward ${at} is ${task.rewardWei} wei; its order allows ${message.maxPerTaskWei}.`,
  );
}

function recoverOrderSigner(order: Order, { domain, signers }: OneOrderRules): string | undefined {
  const key = JSON.stringify([order.message, order.signature], (_, value) =>
    typeof value === "bigint" ? `${value}` : value,
  );
  if (!signers.has(key)) signers.set(key, recoverSigner(domain, orderTypes, order.message, order.signature));
  return signers.get(key);
}

function allowsModel(order: Order, modelDigest: string): boolean {
  const digest = `sha256:${modelDigest.slice(2)}`;
  return isDigest(digest) && digestToBytes32(digest) === modelDigest && isModelAllowed(order, digest);
}

/** Two orders of one nonce share a budget, and the smaller total holds. */
function spend(task: ParsedTask, { message }: Order, spent: Map<string, bigint>): Finding | undefined {
  const budget = identifyBudget(message);
  const total = (spent.get(budget) ?? 0n) + task.rewardWei;
  if (total > message.maxTotalWei) {
    return finding(
      "OrderExhausted",
      `With task ${task.taskId} order ${budget} would spend ${total} of ${message.maxTotalWei} wei.`,
    );
  }
  spent.set(budget, total);
  return undefined;
}

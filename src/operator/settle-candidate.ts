/** Stage 7: gathers for one accepted task all the evidence that a validator needs to sign for it. */
import { isConditionTrue } from "../api/v1alpha1/conditions.ts";
import type { VoteEvidence } from "../pool/wire.ts";
import { reopenTask, stageOf } from "../protocol/lifecycle.ts";
import type { Order } from "../protocol/order.ts";
import { rewardOf } from "../protocol/task.ts";
import { computeTaskId, computeValidationId } from "../protocol/typed-data.ts";
import { collectVotes } from "../protocol/verdict/evidence.ts";
import { requesterOf, type SettleCandidate, writeOrder } from "./build-batch.ts";
import type { ChainLink } from "./chain-link.ts";
import type { ValidationObject } from "./kinds.ts";
import type { TaskEntry, TaskLedger } from "./ledger.ts";
import type { OrderBook } from "./order-book.ts";
import type { ValidationIndex } from "./validation-index.ts";

export interface CandidateSources {
  readonly ledger: TaskLedger;
  readonly index: ValidationIndex;
  readonly orders: OrderBook;
  readonly link: ChainLink;
  /** A panel that lost members has not enough votes left: another one is to hear its tasks. */
  readonly dropValidation: (validation: ValidationObject) => Promise<void>;
}

/**
 * Undefined where it cannot be settled now: it waits, or a new panel hears it.
 * @param members of the batch's epoch, lower case: votes of validators that were removed since count no more
 */
export async function gatherCandidate(
  sources: CandidateSources,
  entry: TaskEntry,
  members: ReadonlySet<string>,
): Promise<SettleCandidate | undefined> {
  const { task, status, uid, key } = entry;
  const { receipt } = status;
  if (!receipt || !isConditionTrue(status.conditions, "Validated")) return undefined;
  const votes = status.verdict?.result === "Unverified" ? [] : await findVotes(sources, entry, members);
  if (votes === "TooFew") return undefined;
  if (!votes) {
    await reopen(sources.ledger, entry);
    return undefined;
  }
  const rewardWei = rewardOf(task.spec);
  const order = rewardWei > 0n ? await findOrder(sources.orders, entry) : undefined;
  if (rewardWei > 0n && !order) return undefined;
  const { message, signature, digest } = receipt;
  return {
    key,
    uid,
    ...(order ? { order } : {}),
    task: {
      taskId: computeTaskId(uid),
      attempt: message.attempt,
      receipt: { message, signature },
      receiptDigest: digest,
      worker: message.worker,
      payee: await readPayout(sources, message.worker),
      requester: requesterOf(task.spec),
      rewardWei: rewardWei.toString(),
      votes,
      ...(order ? { order: writeOrder(order) } : {}),
    },
  };
}

/** The registry says where a node's rewards go; validators ask it too. */
async function readPayout({ link }: CandidateSources, node: string): Promise<string> {
  return (await link.client.node(node)).payout;
}

/** Undefined where validators would refuse to let it pay for this work. */
async function findOrder(orders: OrderBook, { task, status }: TaskEntry): Promise<Order | undefined> {
  const found = await orders.find(task);
  if (found?.state !== "Found" || found.signer !== found.order.message.requester) return undefined;
  const { message } = found.order;
  // By the receipt and not by the clock: an order that was good when the work began must still be payable.
  const hadExpired = (status.receipt?.message.startedAtMs ?? 0) >= message.expiresAt * 1_000;
  return hadExpired || message.requester !== requesterOf(task.spec) ? undefined : found.order;
}

/** TooFew: the panel is given up, and the task waits until its Validation is gone. */
async function findVotes(
  sources: CandidateSources,
  { uid, status }: TaskEntry,
  members: ReadonlySet<string>,
): Promise<VoteEvidence[] | "TooFew" | undefined> {
  const attempt = status.receipt?.message.attempt ?? 0;
  const validation = sources.index.covering(uid, attempt);
  if (!validation?.status) return undefined;
  const at = validation.spec.receipts.findIndex((receipt) => receipt.uid === uid && receipt.attempt === attempt);
  const validationId = computeValidationId(validation.metadata.uid ?? "");
  const cast = collectVotes({ spec: validation.spec, status: validation.status }, at, "Accept");
  const votes = cast.filter(({ validator }) => members.has(validator.toLowerCase()));
  if (votes.length < cast.length && votes.length < validation.spec.quorum) {
    await sources.dropValidation(validation);
    return "TooFew";
  }
  return Promise.all(
    votes.map(async (vote) => ({ ...vote, payee: await readPayout(sources, vote.validator), validationId })),
  );
}

async function reopen(ledger: TaskLedger, entry: TaskEntry): Promise<void> {
  await ledger.change(entry.key, {
    uid: entry.uid,
    stage: "reopened",
    durable: true,
    decide: (status, context) => (stageOf(status) === "Settle" ? reopenTask(status, context) : undefined),
  });
}

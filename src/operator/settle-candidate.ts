/** Stage 7: gathers for one accepted task all the evidence that a validator needs to sign for it. */
import { isConditionTrue } from "../api/v1alpha1/conditions.ts";
import type { ValidationStatus } from "../api/v1alpha1/generated/validations.ts";
import { InferiumError } from "../base/errors.ts";
import { objectKey } from "../kube/object.ts";
import type { AgentEvidence, BatchTask, ProofEvidence } from "../pool/batch-evidence.ts";
import { reopenTask } from "../protocol/lifecycle.ts";
import type { Order } from "../protocol/order.ts";
import { readProof } from "../protocol/proof.ts";
import { rewardOf } from "../protocol/task.ts";
import { stageOf } from "../protocol/task-stage.ts";
import { computeTaskId, computeValidationId } from "../protocol/typed-data.ts";
import { collectVotes } from "../protocol/verdict/evidence.ts";
import { requesterOf, type SettleCandidate, writeOrder } from "./build-batch.ts";
import type { ChainLink } from "./chain-link.ts";
import type { ValidationObject } from "./kinds.ts";
import type { TaskEntry, TaskLedger } from "./ledger.ts";
import type { OrderBook } from "./order-book.ts";
import { otherOf } from "./shards/copies.ts";
import { toStatement } from "./task-inputs.ts";
import type { ValidationIndex } from "./validation-index.ts";
import type { ItemBook } from "./validation-items.ts";

export interface CandidateSources {
  readonly ledger: TaskLedger;
  readonly index: ValidationIndex;
  readonly items: Pick<ItemBook, "build" | "drop">;
  readonly orders: OrderBook;
  readonly link: ChainLink;
  /** A panel that lost members has not enough votes left: another one is to hear its tasks. */
  readonly dropValidation: (validation: ValidationObject) => Promise<void>;
}

/** What all tasks of one batch have in common. */
export interface BatchFacts {
  /** Of the batch's epoch, lower case: votes of validators that were removed since count no more. */
  readonly members: ReadonlySet<string>;
  readonly payoutOf: (node: string) => Promise<string>;
}

/** Undefined where it cannot be settled now: it waits, or a new panel hears it. */
export async function gatherCandidate(
  sources: CandidateSources,
  entry: TaskEntry,
  batch: BatchFacts,
): Promise<SettleCandidate | undefined> {
  const { task, status, uid, key } = entry;
  const { receipt } = status;
  if (!receipt || !isConditionTrue(status.conditions, "Validated")) return undefined;
  const evidence = await findEvidence(sources, entry, batch);
  if (evidence === "TooFew") return undefined;
  if (!evidence) {
    await reopen(sources.ledger, entry);
    return undefined;
  }
  const other = otherOf(sources.ledger, task);
  const rewardWei = isPaid(other) ? 0n : rewardOf(task.spec);
  const order = rewardWei > 0n ? await findOrder(sources.orders, entry) : undefined;
  if (rewardWei > 0n && !order) return undefined;
  const { message, signature, digest } = receipt;
  const payee = await batch.payoutOf(message.worker);
  const agent = rewardWei > 0n ? await findAgent(sources, entry, payee) : undefined;
  if (agent === "NotPayable") return undefined;
  return {
    key,
    uid,
    ...(order ? { order } : {}),
    ...(other ? { otherUid: other.uid } : {}),
    task: {
      taskId: computeTaskId(uid),
      attempt: message.attempt,
      receipt: { message, signature },
      receiptDigest: digest,
      worker: message.worker,
      payee,
      requester: requesterOf(task.spec),
      rewardWei: rewardWei.toString(),
      ...evidence,
      ...(order ? { order: writeOrder(order) } : {}),
      ...(agent ? { agent } : {}),
    },
  };
}

/** A shard is paid once: of two copies that were both accepted, whichever was settled first has its reward. */
function isPaid(other: TaskEntry | undefined): boolean {
  return (other?.status.settlement?.rewardWei ?? "0") !== "0";
}

/** How a window's revenue is split; NotPayable while the chain does not say that the agent is hosted for whom the worker works. */
async function findAgent(
  { link }: CandidateSources,
  { task }: TaskEntry,
  payee: string,
): Promise<AgentEvidence | "NotPayable" | undefined> {
  const { calls } = task.spec;
  if (calls === undefined) return undefined;
  const agent = await link.client.agent(calls.agentId);
  if (agent?.host !== payee) return "NotPayable";
  return { window: toStatement(calls), creator: agent.creator, shares: agent.shares };
}

/**
 * The registry says where a node's rewards go, and is asked once a batch: for the workers of its tasks together, for who else
 * comes up one by one. Validators ask it too.
 */
export async function readPayouts(
  { client }: Pick<ChainLink, "client">,
  entries: readonly TaskEntry[],
): Promise<BatchFacts["payoutOf"]> {
  const workers = [...new Set(entries.flatMap(({ status }) => status.receipt?.message.worker ?? []))];
  const found = await client.payouts(workers);
  const payouts = new Map(workers.map((worker, index) => [worker, Promise.resolve(found[index] ?? "")]));
  return (node) => {
    const known = payouts.get(node) ?? client.node(node).then(({ payout }) => payout);
    payouts.set(node, known);
    return known;
  };
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

type Evidence = Pick<BatchTask, "votes" | "proven">;

/** Undefined where it is gone: its Validation was deleted. TooFew: the panel is given up, and the task waits until its Validation is gone. */
async function findEvidence(
  sources: CandidateSources,
  { uid, status }: TaskEntry,
  { members, payoutOf }: BatchFacts,
): Promise<Evidence | "TooFew" | undefined> {
  if (status.verdict?.result === "Unverified") return { votes: [] };
  const attempt = status.receipt?.message.attempt ?? 0;
  const validation = sources.index.covering(uid, attempt);
  if (!validation?.status) return undefined;
  if (validation.status.proof) {
    const endorsers = listEndorsers(validation, members);
    if (endorsers.length < validation.spec.quorum) return giveUp(sources, validation);
    const made = validation.status.proof;
    return { votes: [], proven: await gatherProof(sources, { validation, endorsers, made, payoutOf }) };
  }
  const at = validation.spec.receipts.findIndex((receipt) => receipt.uid === uid && receipt.attempt === attempt);
  const validationId = computeValidationId(validation.metadata.uid ?? "");
  const cast = collectVotes({ spec: validation.spec, status: validation.status }, at, "Accept");
  const votes = cast.filter(({ validator }) => members.has(validator.toLowerCase()));
  if (votes.length < cast.length && votes.length < validation.spec.quorum) return giveUp(sources, validation);
  return {
    votes: await Promise.all(
      votes.map(async (vote) => ({ ...vote, payee: await payoutOf(vote.validator), validationId })),
    ),
  };
}

async function giveUp(sources: CandidateSources, validation: ValidationObject): Promise<"TooFew"> {
  await sources.dropValidation(validation);
  return "TooFew";
}

type Endorser = NonNullable<ValidationStatus["validators"]>[number];

function listEndorsers({ status }: ValidationObject, members: ReadonlySet<string>): Endorser[] {
  const endorsed = (status?.validators ?? []).filter(({ endorsement }) => endorsement !== undefined);
  return endorsed.filter(({ address }) => members.has(address.toLowerCase()));
}

interface ProvenCase {
  readonly validation: ValidationObject;
  readonly endorsers: readonly Endorser[];
  readonly made: NonNullable<ValidationStatus["proof"]>;
  readonly payoutOf: BatchFacts["payoutOf"];
}

/** With all that a validator needs to rebuild the public signals. @throws InferiumError OutputMissing (retry) */
async function gatherProof(
  sources: CandidateSources,
  { validation, endorsers, made, payoutOf }: ProvenCase,
): Promise<ProofEvidence> {
  const [item] = await sources.items.build(validation);
  sources.items.drop(objectKey(validation));
  if (item?.output === undefined) {
    const message = `The output behind the proof of ${validation.metadata.name} is not there; its batch waits for it.`;
    throw new InferiumError("OutputMissing", message, { disposition: "retry" });
  }
  const endorsements = endorsers.map(async ({ address, endorsement = "" }) => {
    return { validator: address, payee: await payoutOf(address), signature: endorsement };
  });
  const { taskId, attempt, worker } = item.receipt.message;
  return {
    proof: { ...{ taskId, attempt, worker }, ...readProof(made) },
    model: item.model,
    input: item.input,
    output: item.output,
    endorsements: await Promise.all(endorsements),
  };
}

async function reopen(ledger: TaskLedger, entry: TaskEntry): Promise<void> {
  await ledger.change(entry.key, {
    uid: entry.uid,
    stage: "reopened",
    durable: true,
    decide: (status, context) => (stageOf(status) === "Settle" ? reopenTask(status, context) : undefined),
  });
}

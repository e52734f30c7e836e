/**
 * A batch that is cut into shards, from admission to settlement. Looks at the shards' tasks alone, so that it goes on from
 * anywhere after a restart: each of them goes through the stages by itself, and the batch only says where they are.
 *
 * 1 make the shards, once it may run     2 call back copies that were overtaken, and duplicate slow ones
 * 3 join the outputs, once all have one  4 write the status, where it is news
 */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import { InferiumError } from "../../base/errors.ts";
import type { KubeClient } from "../../kube/client.ts";
import type { Reconcile, ReconcileResult } from "../../kube/controller.ts";
import {
  type BatchFacts,
  countShards,
  decideBatchStatus,
  type ShardState,
  shardStateOf,
} from "../../protocol/shards/batch-status.ts";
import { copyStateOf } from "../../protocol/shards/decide-copy.ts";
import { isSharded } from "../../protocol/shards/shard-task.ts";
import type { Because } from "../../protocol/status-change.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { TaskObject } from "../kinds.ts";
import type { TaskEntry } from "../ledger.ts";
import { addDuplicates, callBack, type DuplicateOptions } from "../shards/advance-duplicates.ts";
import { findCopies, type ShardCopies } from "../shards/copies.ts";
import { type BatchResult, joinShards, wonCopies } from "../shards/join-shards.ts";
import { makeShards } from "../shards/make-shards.ts";

export interface ShardStageOptions extends DuplicateOptions {
  readonly tasks: KubeClient<TaskObject>;
}

export interface ShardStage {
  readonly reconcile: Reconcile;
  /** The batch was admitted, and waits for nothing else. */
  release(uid: string): void;
  forget(uid: string): void;
}

export function createShardStage(options: ShardStageOptions): ShardStage {
  const released = new Set<string>();
  const reconcile: Reconcile = async (key) => {
    const batch = options.ledger.get(key);
    if (!batch || !isSharded(batch.task.spec)) return undefined;
    try {
      return await advance(options, batch, released.has(batch.uid));
    } catch (error) {
      const failure = findFailure(error);
      if (!failure) throw error;
      await write(options, batch, { counts: batch.status.shards ?? noShards(batch), failure });
      return undefined;
    }
  };
  return { reconcile, release: (uid) => void released.add(uid), forget: (uid) => void released.delete(uid) };
}

async function advance(
  options: ShardStageOptions,
  batch: TaskEntry,
  isReleased: boolean,
): Promise<ReconcileResult | undefined> {
  const isOpen = stageOf(batch.status) === "Wait" || stageOf(batch.status) === "Run";
  if (isOpen && !(await make(options, batch, isReleased))) return undefined;
  const copies = findCopies(options.ledger, batch);
  const againMs = isOpen ? await hurry(options, batch, copies) : undefined;
  const facts = gather(batch, copies);
  const isDone = isOpen && !facts.failure && facts.counts.succeeded === facts.counts.total;
  const result = isDone ? await join(options, batch, copies) : undefined;
  await write(options, batch, { ...facts, result });
  return againMs === undefined ? undefined : { requeueAfterMs: Math.ceil(againMs) };
}

/** False where they are not to be made yet. @throws InferiumError ShardChanged where one is gone that a worker may have had */
async function make(options: ShardStageOptions, batch: TaskEntry, isReleased: boolean): Promise<boolean> {
  const missing = findCopies(options.ledger, batch).filter(({ first, duplicate }) => !first && !duplicate);
  if (missing.length === 0) return true;
  if (stageOf(batch.status) === "Run") {
    const which = missing.map(({ shard }) => shard.index).join(", ");
    const message = `The task of shard ${which} was deleted after shards were claimed; made again it could be paid twice. Create the batch again.`;
    throw new InferiumError("ShardChanged", message);
  }
  if (!isReleased) return false;
  await makeShards(
    options,
    batch,
    missing.map(({ shard }) => ({ ...shard, isDuplicate: false })),
  );
  return true;
}

async function hurry(
  options: ShardStageOptions,
  batch: TaskEntry,
  copies: readonly ShardCopies[],
): Promise<number | undefined> {
  for (const shard of copies) await callBack(options, shard);
  return addDuplicates(options, batch, copies);
}

async function join(
  options: ShardStageOptions,
  batch: TaskEntry,
  copies: readonly ShardCopies[],
): Promise<BatchResult> {
  const result = await joinShards(options.tasks, batch, copies);
  for (const shard of copies) {
    if (!shard.duplicate) continue;
    const isUsed = !wonCopies(shard).some((copy) => copy === shard.first);
    options.metrics.shardDuplicates.inc({ outcome: isUsed ? "Used" : "Unused" });
  }
  return result;
}

function gather(batch: TaskEntry, copies: readonly ShardCopies[]): BatchFacts {
  const states = copies.map((shard) => stateOf(shard));
  const counts = countShards(states, copies.filter(({ duplicate }) => duplicate !== undefined).length);
  const failed = copies[states.indexOf("Failed")];
  const waiting = copies.filter((_, index) => states[index] === "Queued").map(waitOf);
  const isSettled = copies.every((shard) => isGone(shard) || listCopies(shard).some(isReady));
  return {
    counts,
    ...(failed ? { failure: failureOf(failed) } : {}),
    waiting: waiting.find((because) => because !== undefined),
    ...(isSettled && stageOf(batch.status) !== "Wait" ? { settled: sumUp(copies) } : {}),
  };
}

/** One that was deleted after the batch had its result is settled all the same. */
function stateOf(shard: ShardCopies): ShardState {
  if (isGone(shard)) return "Succeeded";
  const { first, duplicate } = shard;
  return shardStateOf(first ? copyStateOf(first.status) : "Lost", duplicate && copyStateOf(duplicate.status));
}

const listCopies = ({ first, duplicate }: ShardCopies) => [first, duplicate].filter((copy) => copy !== undefined);
const isGone = (shard: ShardCopies) => listCopies(shard).length === 0;
const isReady = ({ status }: TaskEntry) => isConditionTrue(status.conditions, "Ready");

function failureOf(shard: ShardCopies): Because {
  const [copy] = listCopies(shard);
  const why = copy?.status.conditions?.find(({ type }) => type === "Stalled")?.message ?? "no reason is known";
  const message = `Shard ${shard.shard.index} (task ${copy?.task.metadata.name}) did not succeed: ${why}`;
  return { reason: "ShardFailed", message: message.slice(0, 2_048) };
}

function waitOf(shard: ShardCopies): Because | undefined {
  const conditions = shard.first?.status.conditions;
  const said =
    conditions?.find(({ type, status }) => type === "Accepted" && status === "False") ??
    conditions?.find(({ type, status }) => type === "Queued" && status === "True");
  return said && { reason: said.reason, message: `Shard ${shard.shard.index}: ${said.message}` };
}

function sumUp(copies: readonly ShardCopies[]): NonNullable<BatchFacts["settled"]> {
  const settlements = copies.flatMap(listCopies).flatMap(({ status }) => status.settlement ?? []);
  const batches = settlements.map(({ batch }) => batch);
  const rewardWei = settlements.reduce((sum, { rewardWei: wei = "0" }) => sum + BigInt(wei), 0n);
  const range = batches.length === 0 ? "" : ` in batches ${Math.min(...batches)} to ${Math.max(...batches)}`;
  return { rewardWei, message: `All ${copies.length} shards are settled${range} of the chain.` };
}

function noShards({ task }: TaskEntry): BatchFacts["counts"] {
  return countShards(
    Array.from({ length: task.spec.parallelism ?? 1 }, () => "Queued"),
    0,
  );
}

async function write(options: ShardStageOptions, batch: TaskEntry, facts: BatchFacts): Promise<void> {
  const { key, uid, task } = batch;
  const before = batch.status.phase;
  const decide = (status: TaskEntry["status"], context: Parameters<typeof decideBatchStatus>[2]) =>
    decideBatchStatus(status, facts, context);
  const after = await options.ledger.change(key, { uid, stage: "shards", durable: true, decide });
  const { phase } = after.status;
  if (phase === before) return;
  if (phase === "Failed" || phase === "Rejected") options.tell(task, phase, facts.failure?.message ?? "");
  if (phase === "Succeeded") options.tell(task, "Settled", facts.settled?.message ?? "");
}

/** What no second look would mend. */
const final: ReadonlySet<string> = new Set([
  "NameTaken",
  "ShardsDisagree",
  "ShardChanged",
  "WrongByteLength",
  "UnknownDType",
]);

function findFailure(error: unknown): Because | undefined {
  if (!(error instanceof InferiumError) || error.disposition !== "reject") return undefined;
  const isFinal = final.has(error.code) || error.code.startsWith("Invalid") || error.code === "ValueOutOfRange";
  return isFinal ? { reason: error.code, message: error.message } : undefined;
}

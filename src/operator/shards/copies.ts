/** The shards of a batch as they stand: for each its first copy and its duplicate, found by name. No effects. */
import { isConditionTrue } from "../../api/v1alpha1/conditions.ts";
import { InferiumError } from "../../base/errors.ts";
import { type CopyFacts, type CopyState, copyStateOf, findCopyHold } from "../../protocol/shards/decide-copy.ts";
import {
  isShardAsked,
  listShards,
  nameShard,
  readShard,
  type Shard,
  type ShardRef,
} from "../../protocol/shards/shard-task.ts";
import type { Hold } from "../../protocol/status-change.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { FailedWorker } from "../../protocol/waiting-task.ts";
import type { TaskObject } from "../kinds.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";

type Tasks = Pick<TaskLedger, "get">;

export interface ShardCopies {
  readonly shard: Omit<Shard, "isDuplicate">;
  readonly first: TaskEntry | undefined;
  readonly duplicate: TaskEntry | undefined;
}

/** What they ask for is checked when they are made, and again before their outputs count. */
export function findCopies(tasks: Tasks, batch: TaskEntry): ShardCopies[] {
  const { namespace, uid } = batch.task.metadata;
  const find = (ref: ShardRef) => {
    const entry = tasks.get(`${namespace}/${nameShard(batch.task, ref)}`);
    return entry && readShard(entry.task)?.batch.uid === uid ? entry : undefined;
  };
  return listShards(batch.task.spec).map((shard) => {
    const { index } = shard;
    return { shard, first: find({ index, isDuplicate: false }), duplicate: find({ index, isDuplicate: true }) };
  });
}

/** @throws InferiumError NameTaken where somebody else's task has a shard's name */
export function checkShard(batch: TaskObject, task: TaskObject, shard: Shard): void {
  const isOurs = readShard(task)?.batch.uid === batch.metadata.uid;
  if (isOurs && isShardAsked(batch, task, shard)) return;
  const message = `The task ${task.metadata.name} has the name of shard ${shard.index} and asks for something else; delete it and create the batch again.`;
  throw new InferiumError("NameTaken", message);
}

/** Key of the batch that a task is a shard of. */
export function batchKeyOf({ metadata }: TaskObject): string | undefined {
  const found = readShard({ metadata });
  return found && `${metadata.namespace}/${found.batch.name}`;
}

/** Key of a shard's other copy, whether it exists or not. */
export function otherKeyOf(task: TaskObject): string | undefined {
  const found = readShard(task);
  if (!found) return undefined;
  const { batch, index, isDuplicate } = found;
  return `${task.metadata.namespace}/${nameShard({ metadata: batch }, { index, isDuplicate: !isDuplicate })}`;
}

/** Why a shard that waits stays out of the pool, beside what keeps any other task out of it. */
function findShardHold(tasks: Tasks, { task }: TaskEntry): Hold | undefined {
  const found = readShard(task);
  if (!found) return undefined;
  const other = otherStateOf(tasks, task);
  const batch = tasks.get(batchKeyOf(task) ?? "");
  const isThere = batch?.uid === found.batch.uid;
  return findCopyHold({
    isDuplicate: found.isDuplicate,
    batch: batch && isThere ? stateOfBatch(batch) : "Gone",
    ...(other ? { other } : {}),
  });
}

function stateOfBatch({ task, status }: TaskEntry): CopyFacts["batch"] {
  if (isConditionTrue(status.conditions, "Ready")) return "Succeeded";
  if (stageOf(status) === "Done") return "Failed";
  if (task.metadata.deletionTimestamp !== undefined) return "Gone";
  return task.spec.suspend ? "Suspended" : "Open";
}

export function otherStateOf(tasks: Tasks, task: TaskObject): CopyState | undefined {
  const other = otherOf(tasks, task);
  return other && copyStateOf(other.status);
}

export function otherOf(tasks: Tasks, task: TaskObject): TaskEntry | undefined {
  const key = otherKeyOf(task);
  const other = key === undefined ? undefined : tasks.get(key);
  return other && readShard(other.task)?.batch.uid === readShard(task)?.batch.uid ? other : undefined;
}

/**
 * A duplicate that its first copy's worker, or its owner, could have as well would tell nothing new. Who has failed the first
 * copy before is passed over like anybody who failed a task.
 */
export function barredFrom(tasks: Tasks, task: TaskObject, ownerOf: OwnerOf): FailedWorker[] {
  if (!readShard(task)?.isDuplicate) return [];
  const { assignment, attempts = [] } = otherOf(tasks, task)?.status ?? {};
  const failed = attempts.map(({ worker, owner }) => toFailed(worker, owner));
  if (assignment) return [...failed, { ...toFailed(assignment.worker, ownerOf(assignment.worker)), isBarred: true }];
  return failed.map((one, index) => (index === failed.length - 1 ? { ...one, isBarred: true } : one));
}

/** What stage 2 asks of a task that may be a shard. */
export interface ShardView {
  findHold(entry: TaskEntry): Hold | undefined;
  barredFrom(task: TaskObject): FailedWorker[];
  /** The batch's own, which may change. */
  priorityOf(task: TaskObject): number;
}

export function createShardView(tasks: Tasks, ownerOf: OwnerOf): ShardView {
  return {
    findHold: (entry) => findShardHold(tasks, entry),
    barredFrom: (task) => barredFrom(tasks, task, ownerOf),
    priorityOf: (task) => tasks.get(batchKeyOf(task) ?? "")?.task.spec.priority ?? task.spec.priority,
  };
}

export type OwnerOf = (worker: string) => string | undefined;

function toFailed(worker: string, owner: string | undefined): FailedWorker {
  return { worker, ...(owner ? { owner } : {}) };
}

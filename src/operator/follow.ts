/** Sends every change of a task, and of a Validation, to whoever must look at it: the one place that knows the order. */
import { isSharded } from "../protocol/shards/shard-task.ts";
import { stageOf } from "../protocol/task-stage.ts";
import type { Books } from "./books.ts";
import type { Admission } from "./controllers/admit.ts";
import { toWaitingTask } from "./controllers/queue.ts";
import type { SettleStage } from "./controllers/settle.ts";
import { Dependents } from "./dependents.ts";
import type { Lanes } from "./lanes.ts";
import type { TaskEntry } from "./ledger.ts";
import type { OperatorMetrics } from "./metrics.ts";
import type { Reclaimer } from "./reclaimer.ts";
import { batchKeyOf, findCopies, otherKeyOf } from "./shards/copies.ts";
import { isDecided } from "./validation-index.ts";

export interface FollowParts {
  readonly books: Books;
  readonly lanes: Lanes;
  readonly metrics: OperatorMetrics;
  readonly reclaimer: Reclaimer;
}

interface Followers {
  readonly admission: Admission;
  readonly settle: SettleStage;
}

export function follow({ books, lanes, metrics, reclaimer }: FollowParts, { admission, settle }: Followers): void {
  const dependents = new Dependents();
  books.ledger.onChange((key, entry, previous) => {
    const stage = entry && stageOf(entry.status);
    dependents.observe(key, entry, previous);
    const isBatch = entry !== undefined && isSharded(entry.task.spec);
    settle.note(key, stage === "Settle" && !isBatch);
    if (books.workload.observe(key, entry, previous) !== undefined) books.claims.kick();
    const [worker, before] = [entry?.status.assignment?.worker, previous?.status.assignment?.worker];
    if (worker) lanes.add("mirror", worker);
    if (before && before !== worker) lanes.add("mirror", before);
    if (stage !== "Wait") books.pool.remove(key);
    countQuota(books, key, entry, previous);
    reclaimer.look();
    metrics.poolWaiting.set(books.pool.size);
    if (previous && (stage === undefined || entry?.uid !== previous.uid)) forget(books, admission, previous);
    if (entry) route(lanes, entry);
    if (isBatch) lookAtShards(books, lanes, entry);
    const shard = (entry ?? previous)?.task;
    if (shard) lookAtBatch(lanes, shard);
    if (stage === "Done" && entry) books.orders.release(entry.uid);
    if (stage === undefined || stage === "Done" || !previous)
      for (const dependent of dependents.of(key)) lanes.add("queue", dependent);
  });
  books.index.onChange((key, validation, previous) => {
    lanes.add("panel", key);
    if (validation && isDecided(validation)) {
      books.items.drop(key);
      lanes.add("retireValidation", key);
    }
    // Whoever deletes one before its tasks are settled asks for a new panel.
    if (!validation)
      for (const { task } of previous?.spec.receipts ?? [])
        lanes.add("judge", `${previous?.metadata.namespace}/${task}`);
  });
}

/** What runs counts against its tenant's quota, by what the status says; the pool has counted what it just gave out. */
function lookAtBatch(lanes: Lanes, shard: TaskEntry["task"]): void {
  const batch = batchKeyOf(shard);
  const other = otherKeyOf(shard);
  if (batch !== undefined) lanes.add("shards", batch);
  if (other !== undefined) lanes.add("queue", other);
}

/** Whether they may run depends on the batch: it may be suspended, be over, or go first. */
function lookAtShards(books: Books, lanes: Lanes, batch: TaskEntry): void {
  for (const { first, duplicate } of findCopies(books.ledger, batch))
    for (const copy of [first, duplicate]) if (copy && stageOf(copy.status) === "Wait") lanes.add("queue", copy.key);
}

function countQuota(books: Books, key: string, entry: TaskEntry | undefined, previous: TaskEntry | undefined): void {
  // What runs of a batch are its shards.
  if (entry && isSharded(entry.task.spec)) return;
  if (entry && stageOf(entry.status) === "Run") books.pool.occupy(toWaitingTask(entry, books.policies, books.shards));
  else if (!entry || (previous && stageOf(previous.status) === "Run")) books.pool.finish(key);
}

function route(lanes: Lanes, { key, task, status }: TaskEntry): void {
  const stage = stageOf(status);
  if (task.spec.calls) lanes.add("agent", `${task.metadata.namespace}/${task.spec.calls.agent}`);
  if (stage === "Wait") lanes.add("admit", key);
  else if (isSharded(task.spec)) lanes.add("shards", key);
  if (stage === "Judge") lanes.add("judge", key);
  if (stage === "Run" || (task.spec.deadlineSeconds !== undefined && stage !== "Done")) lanes.add("expire", key);
  const isSeen = status.observedGeneration < 0 || status.observedGeneration === task.metadata.generation;
  // In the stages between, the next write says so anyway.
  if (!isSeen && (stage === "Done" || stage === "Wait")) lanes.add("observe", key);
  if (stage === "Done" && task.spec.ttlSecondsAfterFinished !== undefined) lanes.add("retireTask", key);
}

function forget(books: Books, admission: Admission, { uid, status }: TaskEntry): void {
  admission.forget(uid);
  books.orders.release(uid);
  if (status.assignment) books.outputs.drop(`${uid}/${status.assignment.attempt}`);
}

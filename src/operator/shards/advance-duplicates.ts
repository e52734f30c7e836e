/**
 * Near the end of a batch: slow shards get a second copy, where a worker of another owner is free for it, and copies that were
 * overtaken are called back. Effects: creates tasks, ends attempts.
 */
import type { Clock } from "../../base/clock.ts";
import { checkWorker, type WorkerFacts } from "../../protocol/matching.ts";
import { copyStateOf, isCalledBack } from "../../protocol/shards/decide-copy.ts";
import { type DuplicateRule, decideDuplicates, type ShardTime } from "../../protocol/shards/decide-duplicates.ts";
import type { EndAttempt } from "../attempt-end.ts";
import { toWaitingTask } from "../controllers/queue.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import type { OperatorMetrics } from "../metrics.ts";
import type { TellTask } from "../task-events.ts";
import type { ShardCopies } from "./copies.ts";
import { type MakeShardsOptions, makeShards } from "./make-shards.ts";

export interface DuplicateOptions extends MakeShardsOptions {
  readonly ledger: TaskLedger;
  readonly clock: Clock;
  readonly rule: DuplicateRule;
  readonly workers: () => readonly WorkerFacts[];
  readonly endAttempt: EndAttempt;
  readonly tell: TellTask;
  readonly metrics: OperatorMetrics;
}

/** Where nobody else is free, who will be is looked for again after so long. */
const lookAgainMs = 5_000;

/** @returns when to look again; undefined where only a change can make a copy due */
export async function addDuplicates(
  options: DuplicateOptions,
  batch: TaskEntry,
  copies: readonly ShardCopies[],
): Promise<number | undefined> {
  const nowMs = options.clock.now();
  const { indices, againMs } = decideDuplicates(
    copies.map((shard) => timeOf(shard, nowMs)),
    options.rule,
  );
  let isAnyLeft = false;
  for (const index of indices) {
    const found = copies[index];
    if (!found?.first) continue;
    if (!isElsewhere(options, found.first)) {
      isAnyLeft = true;
      continue;
    }
    await makeShards(options, batch, [{ ...found.shard, isDuplicate: true }]);
    options.metrics.shardDuplicates.inc({ outcome: "Made" });
    const note = `Shard ${index} takes long on ${found.first.status.assignment?.worker}; another worker is to have it too.`;
    options.tell(batch.task, "Duplicated", note);
  }
  return isAnyLeft ? Math.min(lookAgainMs, againMs ?? lookAgainMs) : againMs;
}

/** By our own clock: a worker's word for how long it took would decide who is slow. */
function timeOf({ shard, first, duplicate }: ShardCopies, nowMs: number): ShardTime {
  const { index } = shard;
  const isDuplicated = duplicate !== undefined;
  const copy = [first, duplicate].find((one) => one && copyStateOf(one.status) !== "Lost") ?? first;
  const state = copy ? copyStateOf(copy.status) : "Waiting";
  if (!copy || state === "Waiting") return { index, state: "Waiting", isDuplicated };
  const { assignment, conditions } = copy.status;
  const claimedAtMs = Date.parse(assignment?.claimedAt ?? "");
  if (state === "Running") return { index, state, ms: nowMs - claimedAtMs, isDuplicated };
  const executedAt = conditions?.find(({ type }) => type === "Executed")?.lastTransitionTime;
  const ms = Math.max(0, Date.parse(executedAt ?? "") - claimedAtMs);
  return { index, state: "Done", isDuplicated, ...(Number.isFinite(ms) ? { ms } : {}) };
}

/** Whether a worker of another owner could take it now. */
function isElsewhere({ workers }: DuplicateOptions, first: TaskEntry): boolean {
  const { assignment } = first.status;
  if (!assignment) return false;
  const all = workers();
  const owner = all.find(({ name }) => name === assignment.worker)?.owner;
  const barred = [{ worker: assignment.worker, ...(owner ? { owner } : {}), isBarred: true }];
  const task = { ...toWaitingTask(first, {}), failedWorkers: barred };
  return all.some((worker) => checkWorker(worker, task, all) === undefined);
}

/** The worker hears of it with its next heartbeat; it costs its task no retry and the worker no reputation. */
export async function callBack(options: DuplicateOptions, { first, duplicate }: ShardCopies): Promise<void> {
  for (const [copy, other] of [
    [first, duplicate],
    [duplicate, first],
  ] as const) {
    if (!copy || !other || copyStateOf(copy.status) !== "Running") continue;
    if (!isCalledBack({ other: copyStateOf(other.status) })) continue;
    const message = `The shard's other copy, ${other.task.metadata.name}, has a validated result.`;
    const attempt = copy.status.assignment?.attempt ?? 1;
    await options.endAttempt(copy, { attempt, outcome: "Preempted", reason: "Superseded", message, durable: true });
  }
}

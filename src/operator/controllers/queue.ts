/**
 * Stage 2, in the pool. Keeps the index of waiting tasks equal to what waits: suspended tasks and those whose dependencies
 * are not done stay out. A task that waits costs no write; one that nobody could take says so once, after a while.
 */

import type { Clock } from "../../base/clock.ts";
import type { Reconcile, ReconcileResult } from "../../kube/controller.ts";
import type { Explanation } from "../../protocol/explain-waiting.ts";
import { classifyAttempt } from "../../protocol/failure-class.ts";
import { type SharePolicies, tenantOf } from "../../protocol/fair-share.ts";
import { explainTask } from "../../protocol/lifecycle.ts";
import type { WorkerFacts } from "../../protocol/matching.ts";
import type { TaskPool } from "../../protocol/pool.ts";
import { computeQueueKey } from "../../protocol/priority.ts";
import { isSharded } from "../../protocol/shards/shard-task.ts";
import type { Hold } from "../../protocol/status-change.ts";
import { minimumTierOf } from "../../protocol/task.ts";
import { stageOf } from "../../protocol/task-stage.ts";
import type { WaitingTask } from "../../protocol/waiting-task.ts";
import type { TaskEntry, TaskLedger } from "../ledger.ts";
import { RequeueRests } from "../requeue-rests.ts";
import type { ShardView } from "../shards/copies.ts";
import { WaitingExplainer } from "../waiting-explainer.ts";
import { createHolding, findHold, heldReasons } from "./hold.ts";

export interface QueueOptions {
  readonly ledger: TaskLedger;
  readonly pool: TaskPool;
  readonly policies: SharePolicies;
  readonly clock: Clock;
  readonly workers: () => readonly WorkerFacts[];
  readonly isAdmitted: (uid: string) => boolean;
  /** Time that a task may wait before it is said why. */
  readonly explainAfterMs: number;
  readonly shards: ShardView;
  readonly onAdded: () => void;
  /** A batch that is cut into shards waits for nothing else: they are what goes into the pool. */
  readonly onBatch: (entry: TaskEntry) => void;
}

/** A task that still waits is looked at again after so long, and later where so many wait that looking would be the work. */
const lookAgainMs = 15_000;
const lookAgainMsPerTask = 0.5;
/** Reasons that say no worker could take the task as things are. */
const hopeless: ReadonlySet<Explanation["reason"]> = new Set(["NoWorkers", "NoWorkerFits", "WorkersOffline"]);
/** What is said of a task of which nothing was said yet; that workers are busy needs no write. */
const worthSaying: ReadonlySet<Explanation["reason"]> = new Set([...hopeless, "LargerThanQuota", "OverQuota"]);

export function createQueueStage(options: QueueOptions): Reconcile {
  const { ledger, pool, clock } = options;
  /** When it began to wait: a whole number, which takes no memory of its own. */
  const sinceMs = new Map<string, number>();
  const explainer = new WaitingExplainer(options);
  const holding = createHolding(options);
  const rests = new RequeueRests(clock);
  return async (key) => {
    const entry = ledger.get(key);
    const decision = entry && options.isAdmitted(entry.uid) ? decide(options, rests, entry) : { wait: false };
    if (!entry) rests.forget(key);
    if (entry && decision.hold) {
      pool.remove(key);
      sinceMs.delete(key);
      return holding.say(entry, decision.hold);
    }
    holding.forget(key);
    if (entry && decision.wait && isSharded(entry.task.spec)) {
      options.onBatch(entry);
      return undefined;
    }
    if (!entry || !decision.wait) {
      pool.remove(key);
      sinceMs.delete(key);
      return decision.againMs === undefined ? undefined : { requeueAfterMs: decision.againMs };
    }
    if (!sinceMs.has(key)) sinceMs.set(key, Math.round(clock.monotonic()));
    if (put(options, entry)) options.onAdded();
    return explain(options, { entry, explainer, waitedMs: clock.monotonic() - (sinceMs.get(key) ?? 0) });
  };
}

interface Decision {
  readonly wait: boolean;
  /** Look again then: the last attempt failed a moment ago. */
  readonly againMs?: number;
  /** Why it stays out of the pool. */
  readonly hold?: Hold;
}

function decide({ ledger, shards }: QueueOptions, rests: RequeueRests, entry: TaskEntry): Decision {
  const { task, status } = entry;
  if (stageOf(status) !== "Wait" || task.metadata.deletionTimestamp !== undefined) return { wait: false };
  const hold = findHold(ledger, entry) ?? shards.findHold(entry);
  if (hold) return { wait: false, hold };
  const againMs = rests.leftOf(entry);
  return againMs > 0 ? { wait: false, againMs } : { wait: true };
}

/** False where the pool has it already, as it is now. */
function put({ pool, policies, shards }: QueueOptions, entry: TaskEntry): boolean {
  const task = toWaitingTask(entry, policies, shards);
  const known = pool.get(entry.key);
  if (known && known.key === task.key && known.failedWorkers.length === task.failedWorkers.length) return false;
  pool.add(task);
  return true;
}

export function toWaitingTask(
  { key, task, status }: TaskEntry,
  policies: SharePolicies,
  shards?: Pick<ShardView, "barredFrom" | "priorityOf">,
): WaitingTask {
  const { spec, metadata } = task;
  const priority = shards?.priorityOf(task) ?? spec.priority;
  const enqueuedAtMs = Date.parse(metadata.creationTimestamp ?? "") || 0;
  return {
    id: key,
    key: computeQueueKey({ priority, enqueuedAtMs }),
    priority,
    tenant: tenantOf(policies, metadata.namespace ?? "", spec.queue),
    requirements: {
      tier: minimumTierOf(spec),
      ...spec.resources,
      // The launcher's own node is not where the pods will run.
      ...(spec.mode === "Pod" ? { mode: spec.mode } : spec.nodeSelector ? { nodeSelector: spec.nodeSelector } : {}),
    },
    model: spec.model.digest,
    failedWorkers: [
      ...(status.attempts ?? [])
        .filter((attempt) => classifyAttempt(attempt) !== "Preemption")
        .map(({ worker, owner }) => ({ worker, ...(owner ? { owner } : {}) })),
      ...(shards?.barredFrom(task) ?? []),
    ],
  };
}

interface Wait {
  readonly entry: TaskEntry;
  readonly explainer: WaitingExplainer;
  readonly waitedMs: number;
}

async function explain(options: QueueOptions, { entry, explainer, waitedMs }: Wait): Promise<ReconcileResult> {
  const { explainAfterMs, ledger, pool } = options;
  if (waitedMs < explainAfterMs) return { requeueAfterMs: Math.ceil(explainAfterMs - waitedMs) };
  const explanation = explainer.explain(toWaitingTask(entry, options.policies, options.shards));
  if (hopeless.has(explanation.reason)) pool.relax(entry.key);
  await ledger.change(entry.key, {
    uid: entry.uid,
    stage: "queued",
    durable: true,
    decide: (status, context) => {
      const said = status.conditions?.find(({ type }) => type === "Queued");
      const isSaid = status.phase === "Queued" && said?.status === "True";
      const isOutdated =
        said !== undefined && (isSaid ? said.reason !== explanation.reason : heldReasons.has(said.reason));
      const isNews = isSaid ? isOutdated : isOutdated || worthSaying.has(explanation.reason);
      return isNews && stageOf(status) === "Wait" ? explainTask(status, explanation, context) : undefined;
    },
  });
  return { requeueAfterMs: Math.max(lookAgainMs, pool.size * lookAgainMsPerTask) };
}

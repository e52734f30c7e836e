/**
 * Stage 3: does this worker fit this task, which of the waiting tasks does a claim get, and why does a task wait? Ordered
 * checks with one reason each, so that the answer to "why" is the first thing that would have to change. Pure.
 */
import type { TaskPool, WaitingTask } from "./pool.ts";
import { isAtLeast, type Tier } from "./tier.ts";
import { compareComputeCapability } from "./tier-compute-capability.ts";

export interface Requirements {
  readonly tier: Tier;
  readonly gpus?: number;
  readonly memoryMiB?: number;
  /** Such as `8.0`. */
  readonly computeCapability?: string;
  readonly migProfile?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
}

/** What the operator knows of a worker when it decides. */
export interface WorkerFacts {
  readonly name: string;
  readonly address: string;
  readonly owner?: string;
  readonly isWorker: boolean;
  readonly cordoned: boolean;
  readonly disqualified: boolean;
  readonly bonded: boolean;
  /** Hardware inspected at least, and not expired. */
  readonly proven: boolean;
  /** Proven, and lowered by tierOverride. */
  readonly tier?: Tier;
  readonly gpus: number;
  readonly memoryMiB: number;
  readonly computeCapability?: string;
  readonly migProfiles: readonly string[];
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly freeSlots: number;
  /** It has claimed or reported within the last minute. */
  readonly connected: boolean;
  /** Digests of models that it keeps loaded. */
  readonly models: ReadonlySet<string>;
}

export const mismatchReasons = [
  "NotAWorker",
  "Disqualified",
  "NotBonded",
  "Cordoned",
  "NotProven",
  "BelowTier",
  "TooFewGpus",
  "TooLittleMemory",
  "ComputeCapabilityTooLow",
  "NoMigProfile",
  "NodeSelector",
  "Offline",
  "FailedBefore",
  "Busy",
] as const;
export type MismatchReason = (typeof mismatchReasons)[number];

/** Undefined where the worker could run it but for a free slot, a connection, or what happened to earlier attempts. */
export function checkRequirements(worker: WorkerFacts, wants: Requirements): MismatchReason | undefined {
  if (!worker.isWorker) return "NotAWorker";
  if (worker.disqualified) return "Disqualified";
  if (!worker.bonded) return "NotBonded";
  if (worker.cordoned) return "Cordoned";
  if (!worker.proven) return "NotProven";
  if (worker.tier === undefined || !isAtLeast(worker.tier, wants.tier)) return "BelowTier";
  if (worker.gpus < (wants.gpus ?? 0)) return "TooFewGpus";
  if (worker.memoryMiB < (wants.memoryMiB ?? 0)) return "TooLittleMemory";
  if (!isCapabilityAtLeast(worker.computeCapability, wants.computeCapability)) return "ComputeCapabilityTooLow";
  if (wants.migProfile !== undefined && !worker.migProfiles.includes(wants.migProfile)) return "NoMigProfile";
  if (!hasLabels(worker.nodeLabels, wants.nodeSelector)) return "NodeSelector";
  return undefined;
}

/** A capability that is not known is below every other. */
function isCapabilityAtLeast(actual: string | undefined, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  return actual !== undefined && compareComputeCapability(actual, wanted) >= 0;
}

function hasLabels(labels: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>> = {}): boolean {
  return Object.entries(wanted).every(([key, value]) => labels[key] === value);
}

/** What stands in the way of this worker taking this task now. */
export function checkWorker(
  worker: WorkerFacts,
  task: WaitingTask,
  others: readonly WorkerFacts[],
): MismatchReason | undefined {
  const misfit = checkRequirements(worker, task.requirements);
  if (misfit) return misfit;
  if (!worker.connected) return "Offline";
  if (isExcluded(worker, task, others)) return "FailedBefore";
  return worker.freeSlots > 0 ? undefined : "Busy";
}

/**
 * A worker that failed the task, and its owner's other workers, are passed over as long as somebody else could take it.
 * Somebody who is busy counts: the task waits for them rather than going back to who failed it.
 */
export function isExcluded(worker: WorkerFacts, task: WaitingTask, others: readonly WorkerFacts[]): boolean {
  if (task.failedWorkers.length === 0) return false;
  const able = others.filter((other) => other.connected && checkRequirements(other, task.requirements) === undefined);
  const failedOwners = new Set(task.failedWorkers.map((failed) => failed.owner?.toLowerCase()));
  failedOwners.delete(undefined);
  const failedNames = new Set(task.failedWorkers.map((failed) => failed.worker));
  const hasFailed = (other: WorkerFacts) => failedNames.has(other.name);
  const isOfFailedOwner = (other: WorkerFacts) => failedOwners.has(other.owner?.toLowerCase());
  if (able.some((other) => !hasFailed(other) && !isOfFailedOwner(other))) {
    return hasFailed(worker) || isOfFailedOwner(worker);
  }
  return able.some((other) => !hasFailed(other)) && hasFailed(worker);
}

/** The tasks that a claim gets, at most as many as it has slots, best first. They are taken out of the pool. */
export function decideAssignments(worker: WorkerFacts, pool: TaskPool, others: readonly WorkerFacts[]): WaitingTask[] {
  return pool.take({
    count: worker.freeSlots,
    models: worker.models,
    fits: (requirements) => checkRequirements(worker, requirements) === undefined,
    takes: (task) => !isExcluded(worker, task, others),
  });
}

export interface Explanation {
  /** One word for the whole: a status is written anew only when it changes. */
  readonly reason: "NoWorkers" | "NoWorkerFits" | "WorkersBusy" | "WorkersOffline" | "Waiting";
  /** Such as `0/4 workers: 2 below tier Mid, 1 busy, 1 not bonded`. */
  readonly message: string;
}

export function explainWaiting(task: WaitingTask, workers: readonly WorkerFacts[]): Explanation {
  const counts = new Map<MismatchReason, number>();
  const known = workers.filter((worker) => worker.isWorker);
  for (const worker of known) {
    const reason = checkWorker(worker, task, known);
    if (reason) counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const parts = mismatchReasons
    .filter((reason) => counts.has(reason))
    .map((reason) => `${counts.get(reason)} ${describeMismatch(reason, task.requirements)}`);
  const misfits = [...counts.values()].reduce((sum, count) => sum + count, 0);
  const detail = parts.length > 0 ? `: ${parts.join(", ")}` : "";
  return {
    reason: classify(known.length, misfits, counts),
    message: `${known.length - misfits}/${known.length} workers${detail}`,
  };
}

function classify(known: number, misfits: number, counts: ReadonlyMap<MismatchReason, number>): Explanation["reason"] {
  if (known === 0) return "NoWorkers";
  if (misfits < known) return "Waiting";
  if (counts.has("Busy")) return "WorkersBusy";
  return counts.has("Offline") ? "WorkersOffline" : "NoWorkerFits";
}

function describeMismatch(reason: MismatchReason, wants: Requirements): string {
  const words: Readonly<Record<MismatchReason, string>> = {
    NotAWorker: "not workers",
    Disqualified: "disqualified",
    NotBonded: "not bonded",
    Cordoned: "cordoned",
    NotProven: "without proven capability",
    BelowTier: `below tier ${wants.tier}`,
    TooFewGpus: `with fewer than ${wants.gpus} GPUs`,
    TooLittleMemory: `with less than ${wants.memoryMiB} MiB of GPU memory`,
    ComputeCapabilityTooLow: `below compute capability ${wants.computeCapability}`,
    NoMigProfile: `without MIG profile ${wants.migProfile}`,
    NodeSelector: "not matching nodeSelector",
    Offline: "offline",
    FailedBefore: "failed it before",
    Busy: "busy",
  };
  return words[reason];
}

/**
 * Stage 3: does this worker fit this task, which of the waiting tasks does a claim get, and why does a task wait? Ordered
 * checks with one reason each, so that the answer to "why" is the first thing that would have to change. Pure.
 */
import type { TaskPool } from "./pool.ts";
import type { TakeRequest } from "./take-request.ts";
import { isAtLeast, type Tier } from "./tier.ts";
import { compareComputeCapability } from "./tier-compute-capability.ts";
import type { FailedWorker, WaitingTask } from "./waiting-task.ts";

export interface Requirements {
  readonly tier: Tier;
  readonly gpus?: number;
  readonly memoryMiB?: number;
  /** Such as `8.0`. */
  readonly computeCapability?: string;
  readonly migProfile?: string;
  readonly nodeSelector?: Readonly<Record<string, string>>;
  /** Runs in pods of its own, which a launcher has Kubernetes place. Left out: by the worker itself. */
  readonly mode?: "Pod";
}

/** What the operator knows of a worker when it decides. */
export interface WorkerFacts {
  readonly name: string;
  readonly address: string;
  readonly owner?: string;
  readonly isWorker: boolean;
  /** A launcher: it takes tasks of this mode and no others. */
  readonly mode?: "Pod";
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
  /** What `describeHardware` says, where somebody has asked before: workers claim far more often than they change. */
  readonly hardware?: string;
  readonly nodeLabels: Readonly<Record<string, string>>;
  readonly freeSlots: number;
  /** It has claimed or reported within the last minute. */
  readonly connected: boolean;
  /** Digests of models that it keeps loaded. */
  readonly models: ReadonlySet<string>;
}

export const mismatchReasons = [
  "NotAWorker",
  "OtherMode",
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
  "HasOtherCopy",
  "FailedBefore",
  "Busy",
] as const;

export type MismatchReason = (typeof mismatchReasons)[number];

/** Undefined where the worker could run it but for a free slot, a connection, or what happened to earlier attempts. */
export function checkRequirements(worker: WorkerFacts, wants: Requirements): MismatchReason | undefined {
  if (!worker.isWorker) return "NotAWorker";
  if (worker.mode !== wants.mode) return "OtherMode";
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

/** Equal for workers for which `checkRequirements` answers the same, where tasks select nodes by these labels only. */
export function profileOf(worker: WorkerFacts, labels: readonly string[]): string {
  const { isWorker, disqualified, bonded, cordoned, proven } = worker;
  if (!isWorker || disqualified || !bonded || cordoned || !proven) return "";
  const hardware = worker.hardware ?? describeHardware(worker);
  if (labels.length === 0) return hardware;
  return `${hardware}\n${JSON.stringify(labels.map((label) => worker.nodeLabels[label] ?? null))}`;
}

type Hardware = Pick<WorkerFacts, "mode" | "tier" | "gpus" | "memoryMiB" | "computeCapability" | "migProfiles">;

/** Equal for workers with the same hardware that use it in the same way. */
export function describeHardware({ mode, tier, gpus, memoryMiB, computeCapability, migProfiles }: Hardware): string {
  const hardware = `${tier} ${gpus} ${memoryMiB} ${computeCapability} ${migProfiles.join(" ")}`;
  return mode === undefined ? hardware : `${mode} ${hardware}`;
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
  if (isBarred(worker, task)) return "HasOtherCopy";
  if (isExcluded(worker, task, () => others)) return "FailedBefore";
  return worker.freeSlots > 0 ? undefined : "Busy";
}

/**
 * A worker that failed the task, and its owner's other workers, are passed over as long as somebody else could take it.
 * Somebody who is busy counts: the task waits for them rather than going back to who failed it.
 */
export function isExcluded(
  worker: WorkerFacts,
  task: Pick<WaitingTask, "requirements" | "failedWorkers">,
  others: () => readonly WorkerFacts[],
): boolean {
  if (task.failedWorkers.length === 0) return false;
  if (isBarred(worker, task)) return true;
  const failed = indexFailures(task.failedWorkers);
  // Most workers have nothing to do with it: the others need not be looked at.
  if (!failed.has(worker) && !failed.hasOwnerOf(worker)) return false;
  let isOtherAble = false;
  for (const other of others()) {
    if (!other.connected || failed.has(other) || checkRequirements(other, task.requirements) !== undefined) continue;
    if (!failed.hasOwnerOf(other)) return true;
    isOtherAble = true;
  }
  return isOtherAble && failed.has(worker);
}

function isBarred({ name, owner }: WorkerFacts, { failedWorkers }: Pick<WaitingTask, "failedWorkers">): boolean {
  return failedWorkers.some(
    (barred) => barred.isBarred && (barred.worker === name || (owner !== undefined && isSame(barred.owner, owner))),
  );
}

/** Lists of failures are short: there are as many entries as a task has had attempts. */
function indexFailures(failures: readonly FailedWorker[]) {
  return {
    has: (worker: WorkerFacts) => failures.some((failed) => failed.worker === worker.name),
    hasOwnerOf: ({ owner }: WorkerFacts) =>
      owner !== undefined && failures.some((failed) => isSame(failed.owner, owner)),
  };
}

/** Addresses, in whatever case. */
function isSame(a: string | undefined, b: string): boolean {
  return a !== undefined && (a === b || a.toLowerCase() === b.toLowerCase());
}

/**
 * The tasks that a claim gets, at most as many as it has slots, best first. They are taken out of the pool.
 * @param others asked only where the worker, or its owner, has failed a task that waits
 */
export function decideAssignments(
  worker: WorkerFacts,
  pool: TaskPool,
  others: () => readonly WorkerFacts[],
): WaitingTask[] {
  return pool.take(new WorkerRequest(worker, others));
}

class WorkerRequest implements TakeRequest {
  readonly facts: WorkerFacts;
  readonly #others: () => readonly WorkerFacts[];

  constructor(facts: WorkerFacts, others: () => readonly WorkerFacts[]) {
    this.facts = facts;
    this.#others = others;
  }

  get count(): number {
    return this.facts.freeSlots;
  }

  get models(): ReadonlySet<string> {
    return this.facts.models;
  }

  get worker(): string {
    return this.facts.name;
  }

  get owner(): string | undefined {
    return this.facts.owner;
  }

  profile(labels: readonly string[]): string {
    return profileOf(this.facts, labels);
  }

  fits(requirements: Requirements): boolean {
    return checkRequirements(this.facts, requirements) === undefined;
  }

  isExcluded(task: Pick<WaitingTask, "requirements" | "failedWorkers">): boolean {
    return isExcluded(this.facts, task, this.#others);
  }
}

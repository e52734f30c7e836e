/** Why a task waits, in words for its owner, and what would help. Called where tasks are told so, and by `inferium explain`. Pure. */

import { checkWorker, type MismatchReason, mismatchReasons, type Requirements, type WorkerFacts } from "./matching.ts";
import type { ShareLevel } from "./quota.ts";
import type { WaitingTask } from "./waiting-task.ts";

export interface Explanation {
  /** One word for the whole: a status is written anew only when it changes. */
  readonly reason:
    | "NoWorkers"
    | "NoWorkerFits"
    | "WorkersBusy"
    | "WorkersOffline"
    | "OverQuota"
    | "LargerThanQuota"
    | "Waiting";
  /** Such as `0/4 workers: 2 below tier Mid, 1 busy, 1 not bonded`. */
  readonly message: string;
}

/** @param share what the tenant's quota says; left out where it has none */
export function explainWaiting(
  task: WaitingTask,
  workers: readonly WorkerFacts[],
  share: ShareLevel = "Within",
): Explanation {
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
  const reason = classify(known.length, misfits, counts);
  const quota = explainShare(share, task.tenant);
  const fix = quota ? "" : suggestFix(reason, counts, task.requirements);
  const message = `${known.length - misfits}/${known.length} workers${detail}${quota?.words ?? ""}${fix}`;
  return { reason: quota && reason !== "NoWorkers" && reason !== "NoWorkerFits" ? quota.reason : reason, message };
}

function explainShare(share: ShareLevel, tenant: string): { reason: Explanation["reason"]; words: string } | undefined {
  if (share === "TooLarge")
    return {
      reason: "LargerThanQuota",
      words: `; it asks for more than all of the quota of ${tenant}: raise it, or ask for fewer GPUs`,
    };
  if (share === "LeavesRoom")
    return { reason: "OverQuota", words: `; it leaves room for an older and larger task of ${tenant}` };
  if (share === "OverQuota") return { reason: "OverQuota", words: `; ${tenant} uses all of its quota` };
  if (share === "Reclaiming")
    return { reason: "OverQuota", words: `; what ${tenant} lends to its cohort is not given back yet` };
  return undefined;
}

/** Where no worker could take the task as things are: what is in the way of the worker that came furthest in the checks. */
function suggestFix(
  reason: Explanation["reason"],
  counts: ReadonlyMap<MismatchReason, number>,
  wants: Requirements,
): string {
  if (reason !== "NoWorkerFits") return "";
  const obstacle = mismatchReasons.findLast((one) => counts.has(one));
  return obstacle === undefined ? "" : (fixes(wants)[obstacle] ?? "");
}

const fixes = (wants: Requirements): Partial<Record<MismatchReason, string>> => ({
  OtherMode: wants.mode === "Pod" ? "; add a launcher, a worker of mode Pod" : "; add a worker of mode Pooled",
  NotBonded: "; bond a worker",
  Cordoned: "; uncordon a worker",
  NotProven: "; see the workers' CapabilityProven condition",
  BelowTier: `; add a worker of tier ${wants.tier}, or lower spec.tier`,
  TooFewGpus: "; ask for fewer GPUs",
  TooLittleMemory: "; ask for less GPU memory",
  ComputeCapabilityTooLow: "; ask for a lower compute capability",
  NoMigProfile: `; make a MIG instance of ${wants.migProfile}`,
  NodeSelector: "; loosen nodeSelector, or label a node",
  HasOtherCopy: "; add a worker of another owner",
});

function classify(known: number, misfits: number, counts: ReadonlyMap<MismatchReason, number>): Explanation["reason"] {
  if (known === 0) return "NoWorkers";
  if (misfits < known) return "Waiting";
  if (counts.has("Busy")) return "WorkersBusy";
  return counts.has("Offline") ? "WorkersOffline" : "NoWorkerFits";
}

function describeMismatch(reason: MismatchReason, wants: Requirements): string {
  const words: Readonly<Record<MismatchReason, string>> = {
    NotAWorker: "not workers",
    OtherMode: wants.mode === "Pod" ? "not launchers of pods" : "launchers of pods only",
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
    HasOtherCopy: "of the owner who has its other copy",
    FailedBefore: "failed it before",
    Busy: "busy",
  };
  return words[reason];
}

/**
 * The books of a job. A pod's end is first noted by uid in the status, then its finalizer goes, and only then it moves
 * into the counts: whatever dies in between, each end is counted exactly once. Pure.
 */
import type { Pod } from "../../kubelet/core-types.ts";
import type { Job } from "../workload-types.ts";
import { judgeFailure } from "./failure-policy.ts";
import { formatIndexes, parseIndexes } from "./index-list.ts";
import { hasFailed, indexOf, isIndexed, isTracked } from "./job-pod.ts";

export interface JobAccount {
  /** Counted for good. */
  readonly succeeded: number;
  readonly failed: number;
  /** Uids of ended pods whose finalizer may be removed. */
  readonly noted: { readonly succeeded: readonly string[]; readonly failed: readonly string[] };
  readonly completedIndexes: ReadonlySet<number>;
  /** Why the job has to fail now, by its pod failure policy. */
  readonly fatal: string | undefined;
  /** Tracked pods that have ended, noted now or before. */
  readonly ended: readonly Pod[];
}

/** @param pods of the job; @param isReleased says of a uid that its finalizer is gone already, whatever a cache shows */
export function openAccount(job: Job, pods: readonly Pod[], isReleased: (uid: string) => boolean): JobAccount {
  const tracked = pods.filter((pod) => isTracked(pod) && !isReleased(uidOf(pod)));
  const trackedUids = new Set(tracked.map(uidOf));
  const before = settle(job, trackedUids);
  const limit = job.spec.completions ?? 0;
  const completedIndexes = parseIndexes(job.status?.completedIndexes, limit);
  const noted = { succeeded: new Set(before.noted.succeeded), failed: new Set(before.noted.failed) };
  const ended: Pod[] = [];
  let fatal: string | undefined;
  for (const pod of tracked) {
    if (pod.status?.phase === "Succeeded") {
      ended.push(pod);
      const index = indexOf(pod);
      if (!isIndexed(job)) noted.succeeded.add(uidOf(pod));
      else if (index !== undefined && index < limit) completedIndexes.add(index);
    } else if (hasFailed(job, pod)) {
      ended.push(pod);
      const verdict = judgeFailure(job, pod);
      if (verdict.action === "FailJob") fatal ??= verdict.message;
      if (verdict.action !== "Ignore") noted.failed.add(uidOf(pod));
    }
  }
  const succeeded = isIndexed(job) ? completedIndexes.size : before.succeeded;
  const lists = { succeeded: [...noted.succeeded], failed: [...noted.failed] };
  return { succeeded, failed: before.failed, noted: lists, completedIndexes, fatal, ended };
}

/** Noted before and without a finalizer by now: counted. */
function settle(job: Job, trackedUids: ReadonlySet<string>) {
  const { succeeded = [], failed = [] } = job.status?.uncountedTerminatedPods ?? {};
  const isOpen = (uid: string) => trackedUids.has(uid);
  return {
    succeeded: (job.status?.succeeded ?? 0) + succeeded.filter((uid) => !isOpen(uid)).length,
    failed: (job.status?.failed ?? 0) + failed.filter((uid) => !isOpen(uid)).length,
    noted: { succeeded: succeeded.filter(isOpen), failed: failed.filter(isOpen) },
  };
}

/** Ends so far, whether their finalizers are gone or not. */
export function totalsOf(job: Job, account: JobAccount): { readonly succeeded: number; readonly failed: number } {
  const succeeded = account.succeeded + (isIndexed(job) ? 0 : account.noted.succeeded.length);
  return { succeeded, failed: account.failed + account.noted.failed.length };
}

/** The account after the finalizers of all noted pods have gone. */
export function closeAccount(job: Job, account: JobAccount): JobAccount {
  return { ...account, ...totalsOf(job, account), noted: { succeeded: [], failed: [] }, ended: [] };
}

export function accountStatus(job: Job, account: JobAccount) {
  const { succeeded, failed } = account.noted;
  return {
    succeeded: account.succeeded,
    failed: account.failed,
    uncountedTerminatedPods: {
      ...(succeeded.length === 0 ? {} : { succeeded }),
      ...(failed.length === 0 ? {} : { failed }),
    },
    ...(isIndexed(job) ? { completedIndexes: formatIndexes(account.completedIndexes) } : {}),
  };
}

function uidOf(pod: Pod): string {
  return pod.metadata.uid ?? "";
}

/** Whether a job is through, and how many pods it should have. Pure. */
import type { Pod } from "../../kubelet/core-types.ts";
import { findCondition, isConditionTrue } from "../conditions.ts";
import { isActive } from "../pod-state.ts";
import { parseTime } from "../times.ts";
import type { Job } from "../workload-types.ts";
import { parseIndexes } from "./index-list.ts";
import { type JobAccount, totalsOf } from "./job-account.ts";
import { finishTimeOf, hasFailed, isIndexed } from "./job-pod.ts";

export interface Outcome {
  readonly type: "Complete" | "Failed";
  readonly reason: string;
  readonly message: string;
}

export interface JobView {
  readonly job: Job;
  readonly pods: readonly Pod[];
  readonly account: JobAccount;
  readonly nowMs: number;
}

const completed = (reason: string, message: string): Outcome => ({ type: "Complete", reason, message });
const failed = (reason: string, message: string): Outcome => ({ type: "Failed", reason, message });

/** A verdict once given stands, as its condition shows; among new ones failure comes first. */
export function decideOutcome(view: JobView): Outcome | undefined {
  const { job, account } = view;
  const { conditions } = job.status ?? {};
  const failing = findCondition(conditions, "FailureTarget");
  if (failing?.status === "True") return failed(failing.reason ?? "", failing.message ?? "");
  const succeeding = findCondition(conditions, "SuccessCriteriaMet");
  if (succeeding?.status === "True") return completed(succeeding.reason ?? "", succeeding.message ?? "");
  if (account.fatal !== undefined) return failed("PodFailurePolicy", account.fatal);
  return decideFailure(view) ?? decideSuccess(view);
}

function decideFailure({ job, pods, account, nowMs }: JobView): Outcome | undefined {
  const limit = job.spec.backoffLimit ?? 6;
  if (totalsOf(job, account).failed > limit || hasRestartedTooOften(job, pods, limit)) {
    return failed("BackoffLimitExceeded", "Job has reached the specified backoff limit");
  }
  const left = untilDeadline(job, nowMs);
  if (left !== undefined && left <= 0) {
    return failed("DeadlineExceeded", "Job was active longer than specified deadline");
  }
  return undefined;
}

/** Pods that restart their containers in place fail without ending. */
function hasRestartedTooOften(job: Job, pods: readonly Pod[], limit: number): boolean {
  if (job.spec.template.spec.restartPolicy !== "OnFailure") return false;
  const restarts = pods.filter(isActive).reduce((sum, pod) => {
    const statuses = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])];
    return sum + statuses.reduce((count, status) => count + status.restartCount, 0);
  }, 0);
  return limit === 0 ? restarts > 0 : restarts >= limit;
}

function decideSuccess({ job, pods, account }: JobView): Outcome | undefined {
  const bySpec = decideSuccessPolicy(job, account);
  if (bySpec !== undefined) return bySpec;
  const { succeeded } = totalsOf(job, account);
  const { completions } = job.spec;
  const isDone =
    completions === undefined ? succeeded > 0 && pods.filter(isActive).length === 0 : succeeded >= completions;
  return isDone ? completed("CompletionsReached", "Reached expected number of succeeded pods") : undefined;
}

function decideSuccessPolicy(job: Job, account: JobAccount): Outcome | undefined {
  if (!isIndexed(job)) return undefined;
  for (const [number, rule] of (job.spec.successPolicy?.rules ?? []).entries()) {
    const among =
      rule.succeededIndexes === undefined
        ? account.completedIndexes
        : parseIndexes(rule.succeededIndexes, job.spec.completions ?? 0);
    const count = [...among].filter((index) => account.completedIndexes.has(index)).length;
    const wanted = rule.succeededCount ?? (rule.succeededIndexes === undefined ? Number.POSITIVE_INFINITY : among.size);
    if (count >= wanted) return completed("SuccessPolicy", `Matched rules at index ${number}`);
  }
  return undefined;
}

/** Milliseconds of activeDeadlineSeconds that are left. */
export function untilDeadline(job: Job, nowMs: number): number | undefined {
  const seconds = job.spec.activeDeadlineSeconds;
  const startedAt = parseTime(job.status?.startTime);
  if (seconds === undefined || startedAt === undefined || isSuspended(job)) return undefined;
  return startedAt + seconds * 1000 - nowMs;
}

export function isSuspended(job: Job): boolean {
  return job.spec.suspend === true;
}

export function isOver(job: Job): boolean {
  const { conditions } = job.status ?? {};
  return isConditionTrue(conditions, "Complete") || isConditionTrue(conditions, "Failed");
}

export function computeWantedActive(view: JobView): number {
  const { job, pods, account } = view;
  const { parallelism = 1, completions } = job.spec;
  const { succeeded } = totalsOf(job, account);
  // A work queue is drained by the pods that are there; once one has succeeded no new ones come.
  if (completions === undefined) {
    return succeeded > 0 ? Math.min(parallelism, pods.filter(isActive).length) : parallelism;
  }
  return Math.max(0, Math.min(parallelism, completions - succeeded));
}

/** The wait before the next pod: doubles with each failure since the last success. */
export function computeRetryDelay(
  view: JobView,
  backoff: { readonly jobBackoffMs: number; readonly jobBackoffMaxMs: number },
): number {
  const { job, pods, nowMs } = view;
  const lastSuccess = Math.max(0, ...pods.filter((pod) => pod.status?.phase === "Succeeded").map(finishTimeOf));
  const failures = pods.filter((pod) => hasFailed(job, pod)).map(finishTimeOf);
  const since = failures.filter((time) => time > lastSuccess);
  if (since.length === 0) return 0;
  const step = Math.min(backoff.jobBackoffMaxMs, backoff.jobBackoffMs * 2 ** Math.min(30, since.length - 1));
  return Math.max(0, Math.max(...since) + step - nowMs);
}

/** The status of a job: what its pods do, and its conditions in Kubernetes' words and order. Pure. */

import type { Pod } from "../../kubelet/core-types.ts";
import type { Condition } from "../../kubelet/status-types.ts";
import { withoutZeros } from "../canonical.ts";
import { isConditionTrue, setCondition } from "../conditions.ts";
import { isActive, isFinished, isReady, isTerminating } from "../pod-state.ts";
import { formatTime } from "../times.ts";
import type { Job, JobStatus } from "../workload-types.ts";
import { isOver, isSuspended, type Outcome } from "./decide-job.ts";
import { accountStatus, type JobAccount } from "./job-account.ts";
import { hasFailed } from "./job-pod.ts";

export interface JobStanding {
  readonly job: Job;
  /** As the informer has them; `removed` and `created` are what this reconcile did since. */
  readonly pods: readonly Pod[];
  readonly created: number;
  readonly removed: ReadonlySet<Pod>;
  readonly account: JobAccount;
  readonly outcome: Outcome | undefined;
  readonly nowMs: number;
}

export function computeJobStatus(standing: JobStanding): JobStatus {
  const { job, pods, account, outcome, nowMs, removed } = standing;
  const stays = pods.filter((pod) => !removed.has(pod));
  const active = stays.filter((pod) => isActive(pod) && !hasFailed(job, pod));
  const now = formatTime(nowMs);
  const startTime = computeStartTime(job, now);
  const counts = {
    active: active.length + standing.created,
    ready: active.filter(isReady).length,
    terminating: pods.filter((pod) => (removed.has(pod) || isTerminating(pod)) && !isFinished(pod)).length,
  };
  const isEmpty = counts.active === 0 && counts.terminating === 0 && account.ended.length === 0;
  const conditions = computeConditions(job, outcome, isEmpty, now);
  const isComplete = isConditionTrue(conditions, "Complete");
  const status: JobStatus = {
    ...(conditions.length === 0 ? {} : { conditions }),
    ...(startTime === undefined ? {} : { startTime }),
    ...(isComplete ? { completionTime: job.status?.completionTime ?? now } : {}),
    ...counts,
    ...accountStatus(job, account),
  };
  const { completedIndexes, ...rest } = withoutZeros(status, ["ready", "terminating"]);
  return completedIndexes ? { ...rest, completedIndexes } : rest;
}

function computeStartTime(job: Job, now: string): string | undefined {
  if (job.status?.startTime !== undefined) return isSuspended(job) && !isOver(job) ? undefined : job.status.startTime;
  return isSuspended(job) ? undefined : now;
}

/** First what it has come to, and only when the last pod is gone that it is over. */
function computeConditions(
  job: Job,
  outcome: Outcome | undefined,
  isEmpty: boolean,
  now: string,
): readonly Condition[] {
  const existing = job.status?.conditions ?? [];
  if (outcome === undefined) return withSuspension(job, existing, now);
  const stamp = { status: "True", reason: outcome.reason, message: outcome.message };
  const times = { lastProbeTime: now, lastTransitionTime: now };
  const sign = outcome.type === "Complete" ? "SuccessCriteriaMet" : "FailureTarget";
  const conditions = setCondition(existing, { type: sign, ...stamp, ...times });
  return isEmpty ? setCondition(conditions, { type: outcome.type, ...stamp, ...times }) : conditions;
}

function withSuspension(job: Job, existing: readonly Condition[], now: string): readonly Condition[] {
  const times = { lastProbeTime: now, lastTransitionTime: now };
  if (isSuspended(job)) {
    const said = { status: "True", reason: "JobSuspended", message: "Job suspended" };
    return setCondition(existing, { type: "Suspended", ...said, ...times });
  }
  if (!isConditionTrue(existing, "Suspended")) return existing;
  const said = { status: "False", reason: "JobResumed", message: "Job resumed" };
  return setCondition(existing, { type: "Suspended", ...said, ...times });
}

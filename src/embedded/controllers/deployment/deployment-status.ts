/** The status of a deployment and its conditions Available, Progressing and ReplicaFailure, in Kubernetes' words. Pure. */
import { withoutZeros } from "../canonical.ts";
import { findCondition, withoutCondition } from "../conditions.ts";
import { formatTime, parseTime } from "../times.ts";
import type { Deployment, DeploymentStatus, ReplicaSet, WorkloadCondition } from "../workload-types.ts";
import { boundsOf, replicasOf, sumReplicas, sumStatus } from "./replica-counts.ts";

type Conditions = readonly WorkloadCondition[];

export interface RolloutState {
  readonly deployment: Deployment;
  readonly fresh: ReplicaSet | undefined;
  readonly old: readonly ReplicaSet[];
  readonly nowMs: number;
}

/** Counts and the Available condition; conditions of the rollout itself are added by `computeRolloutStatus`. */
export function computeCounts({ deployment, fresh, old, nowMs }: RolloutState): DeploymentStatus {
  const all = fresh === undefined ? old : [...old, fresh];
  const available = sumStatus(all, "availableReplicas");
  const status: DeploymentStatus = {
    observedGeneration: deployment.metadata.generation ?? 0,
    replicas: sumStatus(all, "replicas"),
    updatedReplicas: fresh === undefined ? 0 : sumStatus([fresh], "replicas"),
    readyReplicas: sumStatus(all, "readyReplicas"),
    availableReplicas: available,
    unavailableReplicas: Math.max(0, sumReplicas(all) - available),
    terminatingReplicas: sumStatus(all, "terminatingReplicas"),
    ...(deployment.status?.collisionCount === undefined ? {} : { collisionCount: deployment.status.collisionCount }),
  };
  const isEnough = available >= replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
  const conditions = putCondition(deployment.status?.conditions, {
    type: "Available",
    status: isEnough ? "True" : "False",
    reason: isEnough ? "MinimumReplicasAvailable" : "MinimumReplicasUnavailable",
    message: isEnough ? "Deployment has minimum availability." : "Deployment does not have minimum availability.",
    ...stamps(nowMs),
  });
  return { ...withoutZeros(status, ["terminatingReplicas"]), conditions };
}

export function computeRolloutStatus(state: RolloutState): DeploymentStatus {
  const status = computeCounts(state);
  const { deployment, fresh, old, nowMs } = state;
  const existing = status.conditions ?? [];
  const conditions = hasDeadline(deployment)
    ? addProgress(existing, state, status)
    : withoutCondition(existing, "Progressing");
  const failing = [fresh, ...old].find((set) => findCondition(set?.status?.conditions, "ReplicaFailure"));
  const failure = findCondition(failing?.status?.conditions, "ReplicaFailure");
  if (failure === undefined) return { ...status, conditions: withoutCondition(conditions, "ReplicaFailure") };
  return { ...status, conditions: putCondition(conditions, { ...failure, ...stamps(nowMs) }) };
}

function addProgress(conditions: Conditions, state: RolloutState, status: DeploymentStatus): Conditions {
  const { deployment, fresh, nowMs } = state;
  const current = findCondition(conditions, "Progressing");
  const isSettled =
    (status.replicas ?? 0) === (status.updatedReplicas ?? 0) && current?.reason === "NewReplicaSetAvailable";
  if (isSettled) return conditions;
  const name = fresh === undefined ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${fresh.metadata.name}"`;
  const progressing = { type: "Progressing", ...stamps(nowMs) };
  if (isComplete(deployment, status)) {
    const message = `${name} has successfully progressed.`;
    return putCondition(conditions, { ...progressing, status: "True", reason: "NewReplicaSetAvailable", message });
  }
  if (hasProgressed(deployment, status)) {
    const message = `${name} is progressing.`;
    const next = { ...progressing, status: "True", reason: "ReplicaSetUpdated", message };
    const since = current?.status === "True" ? current.lastTransitionTime : undefined;
    // Always anew: its update time is what the deadline counts from.
    const stamped = since === undefined ? next : { ...next, lastTransitionTime: since };
    return [...withoutCondition(conditions, "Progressing"), stamped];
  }
  if (!isTimedOut(deployment, current, nowMs)) return conditions;
  const message = `${name} has timed out progressing.`;
  return putCondition(conditions, { ...progressing, status: "False", reason: "ProgressDeadlineExceeded", message });
}

export function isComplete(deployment: Deployment, status: DeploymentStatus): boolean {
  const wanted = replicasOf(deployment);
  return (
    (status.updatedReplicas ?? 0) === wanted &&
    (status.replicas ?? 0) === wanted &&
    (status.availableReplicas ?? 0) === wanted &&
    (status.observedGeneration ?? 0) >= (deployment.metadata.generation ?? 0)
  );
}

function hasProgressed(deployment: Deployment, next: DeploymentStatus): boolean {
  const before = deployment.status ?? {};
  const oldPods = (status: DeploymentStatus) => (status.replicas ?? 0) - (status.updatedReplicas ?? 0);
  return (
    (next.updatedReplicas ?? 0) > (before.updatedReplicas ?? 0) ||
    oldPods(next) < oldPods(before) ||
    (next.readyReplicas ?? 0) > (before.readyReplicas ?? 0) ||
    (next.availableReplicas ?? 0) > (before.availableReplicas ?? 0)
  );
}

/** 2^31 - 1 stands for no deadline. */
export function hasDeadline(deployment: Deployment): boolean {
  const seconds = deployment.spec.progressDeadlineSeconds;
  return seconds !== undefined && seconds !== 2 ** 31 - 1;
}

function isTimedOut(deployment: Deployment, current: WorkloadCondition | undefined, nowMs: number): boolean {
  if (current === undefined || current.reason === "NewReplicaSetAvailable") return false;
  if (current.reason === "ProgressDeadlineExceeded") return true;
  const since = parseTime(current.lastUpdateTime) ?? nowMs;
  return since + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 < nowMs;
}

/** When to look again at a rollout that makes no progress by itself. */
export function untilDeadline(deployment: Deployment, status: DeploymentStatus, nowMs: number): number | undefined {
  const current = findCondition(status.conditions, "Progressing");
  if (current === undefined || !hasDeadline(deployment) || isComplete(deployment, status)) return undefined;
  if (current.reason === "ProgressDeadlineExceeded" || current.reason === "DeploymentPaused") return undefined;
  const since = parseTime(current.lastUpdateTime) ?? nowMs;
  return Math.max(0, since + (deployment.spec.progressDeadlineSeconds ?? 0) * 1000 - nowMs) + 1_000;
}

/** A pause must not count against the deadline. `undefined`: nothing to say. */
export function computePauseConditions(deployment: Deployment, nowMs: number): Conditions | undefined {
  if (!hasDeadline(deployment)) return undefined;
  const conditions = deployment.status?.conditions ?? [];
  const current = findCondition(conditions, "Progressing");
  // A rollout that has timed out keeps saying so.
  if (current?.reason === "ProgressDeadlineExceeded") return undefined;
  const wasPaused = current?.reason === "DeploymentPaused";
  if (wasPaused === (deployment.spec.paused === true)) return undefined;
  const said = wasPaused
    ? { reason: "DeploymentResumed", message: "Deployment is resumed" }
    : { reason: "DeploymentPaused", message: "Deployment is paused" };
  return putCondition(conditions, { type: "Progressing", status: "Unknown", ...said, ...stamps(nowMs) });
}

/** Same status and reason: nothing changes. A new reason renews the update time, a new status the transition as well. */
export function putCondition(conditions: Conditions | undefined, next: WorkloadCondition): Conditions {
  const before = findCondition(conditions, next.type);
  if (before?.status === next.status && before.reason === next.reason) return conditions ?? [];
  const since = before?.status === next.status ? before.lastTransitionTime : undefined;
  const stamped = since === undefined ? next : { ...next, lastTransitionTime: since };
  return [...withoutCondition(conditions, next.type), stamped];
}

export function stamps(nowMs: number): { readonly lastUpdateTime: string; readonly lastTransitionTime: string } {
  return { lastUpdateTime: formatTime(nowMs), lastTransitionTime: formatTime(nowMs) };
}

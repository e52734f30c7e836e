/** The status of a replica set, from its pods. Pure. */
import type { Pod } from "../../kubelet/core-types.ts";
import { withoutZeros } from "../canonical.ts";
import { setCondition, withoutCondition } from "../conditions.ts";
import { isActive, isAvailable, isFinished, isReady, isTerminating } from "../pod-state.ts";
import { formatTime } from "../times.ts";
import type { ReplicaSet, ReplicaSetStatus } from "../workload-types.ts";

export interface ReplicaFailure {
  readonly reason: "FailedCreate" | "FailedDelete";
  readonly message: string;
}

export function computeReplicaSetStatus(
  set: ReplicaSet,
  pods: readonly Pod[],
  failure: ReplicaFailure | undefined,
  nowMs: number,
): ReplicaSetStatus {
  const active = pods.filter(isActive);
  const labels = Object.entries(set.spec.template.metadata?.labels ?? {});
  const isLabelled = (pod: Pod) => labels.every(([key, value]) => pod.metadata.labels?.[key] === value);
  const status: ReplicaSetStatus = {
    replicas: active.length,
    fullyLabeledReplicas: active.filter(isLabelled).length,
    readyReplicas: active.filter(isReady).length,
    availableReplicas: active.filter((pod) => isAvailable(pod, set.spec.minReadySeconds, nowMs)).length,
    terminatingReplicas: pods.filter((pod) => isTerminating(pod) && !isFinished(pod)).length,
    observedGeneration: set.metadata.generation ?? 0,
  };
  const conditions = computeConditions(set, failure, nowMs);
  const said = withoutZeros(status, ["replicas", "terminatingReplicas"]);
  return conditions.length === 0 ? said : { ...said, conditions };
}

function computeConditions(set: ReplicaSet, failure: ReplicaFailure | undefined, nowMs: number) {
  const existing = set.status?.conditions;
  if (failure === undefined) return withoutCondition(existing, "ReplicaFailure");
  const lastTransitionTime = formatTime(nowMs);
  return setCondition(existing, { type: "ReplicaFailure", status: "True", ...failure, lastTransitionTime });
}

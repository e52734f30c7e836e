/**
 * What a stateful set does next. Ordered sets move one pod at a time and only while every predecessor is available;
 * parallel ones create and delete all at once. An update goes from the highest ordinal down to the partition. Pure.
 */
import type { Pod } from "../../kubelet/core-types.ts";
import { resolveCount } from "../int-or-percent.ts";
import { isActive, isAvailable, isFinished, isReady, isTerminating } from "../pod-state.ts";
import type { StatefulSet, StatefulSetStatus } from "../workload-types.ts";
import { firstOrdinal, ordinalOf, revisionNameOf } from "./stateful-pod.ts";

export interface StatefulView {
  readonly set: StatefulSet;
  /** Of the set by name and owner. */
  readonly pods: readonly Pod[];
  readonly currentRevision: string;
  readonly updateRevision: string;
  readonly nowMs: number;
}

export type StatefulStep =
  | { readonly do: "create"; readonly ordinal: number; readonly revision: "current" | "update" }
  | { readonly do: "delete"; readonly pod: Pod; readonly why: "scaled" | "failed" | "updated" };

export function planSteps(view: StatefulView): readonly StatefulStep[] {
  const replaced = planReplicas(view);
  if (replaced.isWaiting || (isOrdered(view.set) && replaced.steps.length > 0)) return replaced.steps;
  const condemned = planCondemned(view);
  const steps = [...replaced.steps, ...condemned.steps];
  if (condemned.isWaiting || steps.length > 0) return steps;
  return planUpdate(view);
}

interface Phase {
  readonly steps: readonly StatefulStep[];
  /** An ordered set must not go on. */
  readonly isWaiting: boolean;
}

function isOrdered(set: StatefulSet): boolean {
  return set.spec.podManagementPolicy !== "Parallel";
}

function wantedOrdinals(set: StatefulSet): readonly number[] {
  return Array.from({ length: set.spec.replicas ?? 1 }, (_, index) => firstOrdinal(set) + index);
}

function podsByOrdinal({ set, pods }: StatefulView): ReadonlyMap<number, Pod> {
  return new Map(pods.map((pod) => [ordinalOf(set, pod) ?? -1, pod]));
}

function planReplicas(view: StatefulView): Phase {
  const { set } = view;
  const existing = podsByOrdinal(view);
  const steps: StatefulStep[] = [];
  for (const ordinal of wantedOrdinals(set)) {
    const pod = existing.get(ordinal);
    const before = steps.length;
    if (pod === undefined) steps.push({ do: "create", ordinal, revision: revisionFor(view, ordinal) });
    else if (isFinished(pod) && !isTerminating(pod)) steps.push({ do: "delete", pod, why: "failed" });
    const mustWait = pod !== undefined && !isUp(pod, view);
    if (isOrdered(set) && (steps.length > before || mustWait)) return { steps, isWaiting: true };
  }
  return { steps, isWaiting: false };
}

/** Below the partition a pod comes back as it was. */
function revisionFor({ set }: StatefulView, ordinal: number): "current" | "update" {
  const partition = set.spec.updateStrategy?.rollingUpdate?.partition ?? 0;
  return ordinal < firstOrdinal(set) + partition ? "current" : "update";
}

function isUp(pod: Pod, { set, nowMs }: StatefulView): boolean {
  return isActive(pod) && isAvailable(pod, set.spec.minReadySeconds, nowMs);
}

function planCondemned(view: StatefulView): Phase {
  const wanted = new Set(wantedOrdinals(view.set));
  const condemned = [...podsByOrdinal(view)]
    .filter(([ordinal]) => !wanted.has(ordinal))
    .sort(([one], [other]) => other - one)
    .map(([, pod]) => pod);
  const living = condemned.filter((pod) => !isTerminating(pod));
  if (!isOrdered(view.set)) {
    return { steps: living.map((pod) => ({ do: "delete", pod, why: "scaled" })), isWaiting: condemned.length > 0 };
  }
  const [last] = condemned;
  if (last === undefined || isTerminating(last)) return { steps: [], isWaiting: last !== undefined };
  // A broken pod may hold nobody up but itself; a broken one below it must come up first.
  const lowest = condemned.findLast((pod) => !isUp(pod, view));
  if (lowest !== undefined && lowest !== last && !isUp(last, view)) return { steps: [], isWaiting: true };
  return { steps: [{ do: "delete", pod: last, why: "scaled" }], isWaiting: true };
}

function planUpdate(view: StatefulView): readonly StatefulStep[] {
  const { set, updateRevision } = view;
  const strategy = set.spec.updateStrategy;
  if (strategy?.type === "OnDelete") return [];
  const existing = podsByOrdinal(view);
  const first = firstOrdinal(set) + (strategy?.rollingUpdate?.partition ?? 0);
  const ordinals = wantedOrdinals(set).filter((ordinal) => ordinal >= first);
  const limit = strategy?.rollingUpdate?.maxUnavailable ?? 1;
  const maxUnavailable = Math.max(1, resolveCount(limit, set.spec.replicas ?? 1, "up"));
  const steps: StatefulStep[] = [];
  let down = 0;
  for (const ordinal of ordinals.toReversed()) {
    if (down >= maxUnavailable) break;
    const pod = existing.get(ordinal);
    if (pod === undefined) continue;
    const isOld = revisionNameOf(pod) !== updateRevision && !isTerminating(pod);
    if (isOld) steps.push({ do: "delete", pod, why: "updated" });
    if (isOld || !isUp(pod, view)) down += 1;
  }
  return steps;
}

export function computeStatefulStatus(view: StatefulView, collisionCount: number | undefined): StatefulSetStatus {
  const { set, pods, currentRevision, updateRevision, nowMs } = view;
  const living = pods.filter((pod) => !isTerminating(pod));
  const countOf = (revision: string) => living.filter((pod) => revisionNameOf(pod) === revision).length;
  const running = pods.filter((pod) => pod.status?.phase === "Running" && isReady(pod));
  const counts = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: pods.length,
    readyReplicas: running.length,
    availableReplicas: running.filter((pod) => isAvailable(pod, set.spec.minReadySeconds, nowMs)).length,
    currentReplicas: countOf(currentRevision),
    updatedReplicas: countOf(updateRevision),
    currentRevision,
    updateRevision,
    collisionCount: collisionCount ?? 0,
  };
  // The update is through: what was the update is what is current now.
  const isRolling = set.spec.updateStrategy?.type !== "OnDelete";
  const isDone = counts.updatedReplicas === counts.replicas && counts.readyReplicas === counts.replicas;
  if (!isRolling || !isDone) return counts;
  return { ...counts, currentRevision: updateRevision, currentReplicas: counts.updatedReplicas };
}

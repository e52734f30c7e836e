/**
 * The arithmetic of a rollout: how many pods the new and the old replica sets may have now. Numbers in, numbers out, so
 * that its laws (never below the minimum, never above the maximum, always ends) can be tested alone. Pure.
 */
import { type RollingBounds, resolveRollingBounds } from "../int-or-percent.ts";
import { compareAge } from "../times.ts";
import type { Deployment, ReplicaSet } from "../workload-types.ts";

/** A wanted size of one replica set. */
export interface Scaling {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

export function replicasOf(owner: Deployment | ReplicaSet): number {
  return owner.spec.replicas ?? 1;
}

export function sumReplicas(sets: readonly ReplicaSet[]): number {
  return sets.reduce((sum, set) => sum + replicasOf(set), 0);
}

export function sumStatus(
  sets: readonly ReplicaSet[],
  field: "replicas" | "readyReplicas" | "availableReplicas" | "terminatingReplicas",
): number {
  return sets.reduce((sum, set) => sum + (set.status?.[field] ?? 0), 0);
}

export function isRolling(deployment: Deployment): boolean {
  return deployment.spec.strategy?.type !== "Recreate";
}

export function boundsOf(deployment: Deployment): RollingBounds {
  if (!isRolling(deployment)) return { maxSurge: 0, maxUnavailable: 0 };
  return resolveRollingBounds(deployment.spec.strategy?.rollingUpdate ?? {}, replicasOf(deployment));
}

/** Size of the new set: up to what is wanted, with all sets together never above wanted + surge. */
export function computeNewReplicas(deployment: Deployment, all: readonly ReplicaSet[], current: number): number {
  const wanted = replicasOf(deployment);
  if (!isRolling(deployment)) return wanted;
  const room = wanted + boundsOf(deployment).maxSurge - sumReplicas(all);
  return room <= 0 ? current : current + Math.max(0, Math.min(room, wanted - current));
}

/**
 * How far the old sets may shrink: first what is broken anyway, then what is available above the minimum. Pods of the
 * new set that are not yet available count as if they were not there.
 */
export function shrinkOldSets(deployment: Deployment, fresh: ReplicaSet, old: readonly ReplicaSet[]): Scaling[] {
  const all = [...old, fresh];
  const minAvailable = replicasOf(deployment) - boundsOf(deployment).maxUnavailable;
  const freshUnavailable = replicasOf(fresh) - (fresh.status?.availableReplicas ?? 0);
  const most = sumReplicas(all) - minAvailable - freshUnavailable;
  if (sumReplicas(old) === 0 || most <= 0) return [];
  const oldestFirst = [...old].sort(compareAge);
  const sizes = new Map(oldestFirst.map((set) => [set, replicasOf(set)]));
  const broken = shrink(sizes, most, (set, size) => size - (set.status?.availableReplicas ?? 0));
  const spare = Math.min(most - broken, sumStatus(all, "availableReplicas") - minAvailable);
  shrink(sizes, spare, (_set, size) => size);
  return [...sizes].filter(([set, size]) => size !== replicasOf(set)).map(([set, replicas]) => ({ set, replicas }));
}

/** @returns how much was taken off in all */
function shrink(
  sizes: Map<ReplicaSet, number>,
  most: number,
  shareOf: (set: ReplicaSet, size: number) => number,
): number {
  let taken = 0;
  for (const [set, size] of sizes) {
    const share = Math.max(0, Math.min(most - taken, size, shareOf(set, size)));
    sizes.set(set, size - share);
    taken += share;
  }
  return taken;
}

/** A change of size in the middle of a rollout is shared in proportion; the rest goes to the largest set. */
export function scaleProportionally(deployment: Deployment, active: readonly ReplicaSet[]): Scaling[] {
  const wanted = replicasOf(deployment);
  const allowed = wanted > 0 ? wanted + boundsOf(deployment).maxSurge : 0;
  const toAdd = allowed - sumReplicas(active);
  const ordered = [...active].sort((one, other) => compareSize(one, other, toAdd > 0));
  let added = 0;
  const sizes = ordered.map((set) => {
    const share = toAdd === 0 ? 0 : shareOfChange(set, allowed, toAdd, added);
    added += share;
    return { set, replicas: replicasOf(set) + share };
  });
  return sizes.map(({ set, replicas }, index) => ({
    set,
    replicas: index === 0 ? Math.max(0, replicas + toAdd - added) : replicas,
  }));
}

/** Larger first; among equals the newer first when growing, the older first when shrinking. */
function compareSize(one: ReplicaSet, other: ReplicaSet, isGrowing: boolean): number {
  const bySize = replicasOf(other) - replicasOf(one);
  if (bySize !== 0) return bySize;
  return isGrowing ? compareAge(other, one) : compareAge(one, other);
}

export const maxReplicasAnnotation = "deployment.kubernetes.io/max-replicas";

function shareOfChange(set: ReplicaSet, allowed: number, toAdd: number, added: number): number {
  const before = Number(set.metadata.annotations?.[maxReplicasAnnotation]);
  const size = replicasOf(set);
  if (size === 0 || !(before > 0)) return 0;
  const fraction = Math.round((size * allowed) / before) - size;
  const left = toAdd - added;
  return toAdd > 0 ? Math.max(0, Math.min(fraction, left)) : Math.min(0, Math.max(fraction, left));
}

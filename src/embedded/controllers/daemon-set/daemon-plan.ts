/** What a daemon set has to create and delete now, and what its status is. Pure. */
import type { Node, Pod } from "../../kubelet/core-types.ts";
import { withoutZeros } from "../canonical.ts";
import { resolveCount } from "../int-or-percent.ts";
import { isActive, isAvailable, isReady, isTerminating } from "../pod-state.ts";
import { revisionHashLabel } from "../revision-history.ts";
import { compareAge } from "../times.ts";
import type { DaemonSet, DaemonSetStatus } from "../workload-types.ts";
import { decideEligibility, targetNodeOf } from "./daemon-pod.ts";

export interface DaemonView {
  readonly set: DaemonSet;
  readonly nodes: readonly Node[];
  /** Of the set, whatever their state. */
  readonly pods: readonly Pod[];
  readonly hash: string;
  readonly nowMs: number;
}

export interface DaemonPlan {
  /** Names of nodes. */
  readonly create: readonly string[];
  readonly delete: readonly Pod[];
  /** Of those to delete: pods that had failed. */
  readonly failed: readonly Pod[];
}

export function groupByNode(pods: readonly Pod[]): ReadonlyMap<string, readonly Pod[]> {
  const groups = new Map<string, Pod[]>();
  for (const pod of pods) {
    const name = targetNodeOf(pod);
    if (name !== undefined) groups.set(name, [...(groups.get(name) ?? []), pod]);
  }
  return groups;
}

/** One live pod on every node that wants one, none where it may not stay; of several the oldest stays. */
export function planDaemons(view: DaemonView): DaemonPlan {
  const { set, nodes, pods } = view;
  const byNode = groupByNode(pods);
  const plan = { create: [] as string[], delete: [] as Pod[], failed: [] as Pod[] };
  const surgeAllowed = boundsOf(view).maxSurge > 0;
  for (const node of nodes) {
    const { wants, keeps } = decideEligibility(set, node);
    const here = byNode.get(node.metadata.name) ?? [];
    const living = here.filter((pod) => !isTerminating(pod));
    const failed = living.filter((pod) => pod.status?.phase === "Failed");
    if (!wants && !keeps) plan.delete.push(...living);
    else if (wants && here.length === 0) plan.create.push(node.metadata.name);
    else if (failed.length > 0) plan.failed.push(...failed);
    else plan.delete.push(...surplusOf(living, surgeAllowed, view));
  }
  // A pod that waits for a node that is gone waits for ever.
  const names = new Set(nodes.map((node) => node.metadata.name));
  for (const [name, waiting] of byNode) {
    if (!names.has(name)) plan.delete.push(...waiting.filter((pod) => !pod.spec.nodeName && !isTerminating(pod)));
  }
  return { ...plan, delete: [...plan.delete, ...plan.failed] };
}

/** While a surge rolls, an old pod and its successor share the node until the successor is available. */
function surplusOf(living: readonly Pod[], surgeAllowed: boolean, view: DaemonView): readonly Pod[] {
  if (living.length <= 1) return [];
  if (!surgeAllowed) return [...living].sort(compareAge).slice(1);
  const fresh = living.filter((pod) => isUpdated(pod, view.hash)).sort(compareAge);
  const old = living.filter((pod) => !isUpdated(pod, view.hash)).sort(compareAge);
  const isDone = fresh[0] !== undefined && isAvailable(fresh[0], view.set.spec.minReadySeconds, view.nowMs);
  return [...(isDone ? old : old.slice(1)), ...fresh.slice(1)];
}

/** Pods of an old template that may be replaced now, and nodes that may have a successor beside one. */
export function planUpdate(view: DaemonView): DaemonPlan {
  const { set, nodes, pods, hash, nowMs } = view;
  if (set.spec.updateStrategy?.type === "OnDelete") return { create: [], delete: [], failed: [] };
  const byNode = groupByNode(pods.filter(isActive));
  const wanting = nodes.filter((node) => decideEligibility(set, node).wants);
  const { maxSurge, maxUnavailable } = boundsOf(view);
  const old = wanting.flatMap((node) => {
    const here = byNode.get(node.metadata.name) ?? [];
    const only = here.length === 1 ? here[0] : undefined;
    return only !== undefined && !isUpdated(only, hash) ? [{ node: node.metadata.name, pod: only }] : [];
  });
  if (maxSurge > 0) {
    const surging = wanting.filter((node) => (byNode.get(node.metadata.name) ?? []).length > 1).length;
    return { create: old.slice(0, Math.max(0, maxSurge - surging)).map(({ node }) => node), delete: [], failed: [] };
  }
  const isUp = (pod: Pod) => isAvailable(pod, set.spec.minReadySeconds, nowMs);
  const unavailable = wanting.filter((node) => !(byNode.get(node.metadata.name) ?? []).some(isUp)).length;
  // What does not work anyway goes first and costs no availability.
  const broken = old.filter(({ pod }) => !isUp(pod)).map(({ pod }) => pod);
  const working = old.filter(({ pod }) => isUp(pod)).map(({ pod }) => pod);
  return {
    create: [],
    delete: [...broken, ...working.slice(0, Math.max(0, maxUnavailable - unavailable))],
    failed: [],
  };
}

function boundsOf({ set, nodes }: DaemonView): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const strategy = set.spec.updateStrategy;
  if (strategy?.type === "OnDelete") return { maxSurge: 0, maxUnavailable: 0 };
  const wanting = nodes.filter((node) => decideEligibility(set, node).wants).length;
  const maxSurge = resolveCount(strategy?.rollingUpdate?.maxSurge, wanting, "up");
  const maxUnavailable = resolveCount(strategy?.rollingUpdate?.maxUnavailable ?? 1, wanting, "up");
  return { maxSurge, maxUnavailable: maxSurge === 0 ? Math.max(1, maxUnavailable) : maxUnavailable };
}

export function isUpdated(pod: Pod, hash: string): boolean {
  return pod.metadata.labels?.[revisionHashLabel] === hash;
}

export function computeDaemonSetStatus(view: DaemonView): DaemonSetStatus {
  const { set, nodes, pods, hash, nowMs } = view;
  const byNode = groupByNode(pods.filter(isActive));
  const count = { desired: 0, current: 0, misscheduled: 0, ready: 0, available: 0, updated: 0 };
  for (const node of nodes) {
    const [first] = [...(byNode.get(node.metadata.name) ?? [])].sort(compareAge);
    if (!decideEligibility(set, node).wants) {
      if (first !== undefined) count.misscheduled += 1;
      continue;
    }
    count.desired += 1;
    if (first === undefined) continue;
    count.current += 1;
    if (isReady(first)) count.ready += 1;
    if (isAvailable(first, set.spec.minReadySeconds, nowMs)) count.available += 1;
    if (isUpdated(first, hash)) count.updated += 1;
  }
  const status: DaemonSetStatus = {
    currentNumberScheduled: count.current,
    numberMisscheduled: count.misscheduled,
    desiredNumberScheduled: count.desired,
    numberReady: count.ready,
    observedGeneration: set.metadata.generation ?? 0,
    updatedNumberScheduled: count.updated,
    numberAvailable: count.available,
    numberUnavailable: count.desired - count.available,
    ...(set.status?.collisionCount === undefined ? {} : { collisionCount: set.status.collisionCount }),
  };
  return withoutZeros(status, [
    "currentNumberScheduled",
    "numberMisscheduled",
    "desiredNumberScheduled",
    "numberReady",
  ]);
}

/**
 * The named filters of the scheduler, in order. Each answers why a node cannot take a pod, in the words of the
 * Kubernetes scheduler (people and tools search for them), or nothing. Pure.
 */
import type { Node, Pod } from "../kubelet/core-types.ts";
import { computePodRequests } from "../kubelet/resources.ts";
import { hasFreePorts } from "./host-ports.ts";
import { matchesNodeAffinity } from "./label-match.ts";
import { satisfiesExistingAntiAffinity, satisfiesPodAffinity, satisfiesPodAntiAffinity } from "./pod-affinity.ts";
import { findUntoleratedTaint } from "./taints.ts";
import { checkTopologySpread } from "./topology-spread.ts";
import type { ClusterView } from "./view.ts";

/** Why a node is refused. Preemption cannot help against what no other pod causes. */
export interface Refusal {
  readonly reason: string;
  readonly isResolvable: boolean;
}

export interface Filter {
  readonly name: string;
  /** Reasons against the node; empty when it may take the pod. */
  check(pod: Pod, node: Node, view: ClusterView): readonly Refusal[];
}

const hopeless = (reason: string): readonly Refusal[] => [{ reason, isResolvable: false }];
const resolvable = (reason: string): readonly Refusal[] => [{ reason, isResolvable: true }];

const unschedulableTaint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" } as const;
const notReadyTaint = { key: "node.kubernetes.io/not-ready", effect: "NoSchedule" } as const;

const checkUnschedulable: Filter["check"] = (pod, node) => {
  if (node.spec?.unschedulable !== true) return [];
  return isTolerated(pod, unschedulableTaint) ? [] : hopeless("node(s) were unschedulable");
};

/** Where no lifecycle controller taints dead nodes, the Ready condition is the only sign. */
const checkReady: Filter["check"] = (pod, node) => {
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
  if (ready?.status === "True" || isTolerated(pod, notReadyTaint)) return [];
  return hopeless(untoleratedTaints);
};

const untoleratedTaints = "node(s) had untolerated taint(s)";

function isTolerated(pod: Pod, taint: { readonly key: string; readonly effect: string }): boolean {
  const tainted: Node = { apiVersion: "v1", kind: "Node", metadata: { name: "" }, spec: { taints: [taint] } };
  return findUntoleratedTaint(pod, tainted, [taint.effect]) === undefined;
}

const checkTaints: Filter["check"] = (pod, node) => {
  const taint = findUntoleratedTaint(pod, node, ["NoSchedule", "NoExecute"]);
  return taint === undefined ? [] : hopeless(untoleratedTaints);
};

const checkNodeAffinity: Filter["check"] = (pod, node) =>
  matchesNodeAffinity(pod.spec, node) ? [] : hopeless("node(s) didn't match Pod's node affinity/selector");

const checkPorts: Filter["check"] = (pod, node, view) =>
  hasFreePorts(pod, view.podsOn(node.metadata.name))
    ? []
    : resolvable("node(s) didn't have free ports for the requested pod ports");

const checkResources: Filter["check"] = (pod, node, view) => {
  const allocatable = view.allocatableOf(node);
  const used = view.usedOn(node.metadata.name);
  const lacking = [...computePodRequests(pod)]
    .filter(([name, milli]) => milli > 0n && milli > (allocatable.get(name) ?? 0n) - (used.get(name) ?? 0n))
    // More than the node has will not fit however many pods go.
    .map(([name, milli]) => ({ reason: `Insufficient ${name}`, isResolvable: milli <= (allocatable.get(name) ?? 0n) }));
  const slots = allocatable.get("pods");
  const isFull = slots !== undefined && BigInt(view.podsOn(node.metadata.name).length + 1) * 1000n > slots;
  return isFull ? [...resolvable("Too many pods"), ...lacking] : lacking;
};

const checkPodAffinity: Filter["check"] = (pod, node, view) => {
  if (!satisfiesPodAffinity(pod, node, view)) return hopeless("node(s) didn't match pod affinity rules");
  if (!satisfiesPodAntiAffinity(pod, node, view)) return resolvable("node(s) didn't match pod anti-affinity rules");
  if (satisfiesExistingAntiAffinity(pod, node, view)) return [];
  return resolvable("node(s) didn't satisfy existing pods anti-affinity rules");
};

export const filters: readonly Filter[] = [
  { name: "NodeUnschedulable", check: checkUnschedulable },
  { name: "NodeReady", check: checkReady },
  { name: "TaintToleration", check: checkTaints },
  { name: "NodeAffinity", check: checkNodeAffinity },
  { name: "NodePorts", check: checkPorts },
  { name: "NodeResourcesFit", check: checkResources },
  { name: "PodTopologySpread", check: checkTopologySpread },
  { name: "InterPodAffinity", check: checkPodAffinity },
];

/** The first filter that refuses speaks for the node, as a person wants one cause per node. */
export function findRefusals(pod: Pod, node: Node, view: ClusterView): readonly Refusal[] {
  for (const filter of filters) {
    const refusals = filter.check(pod, node, view);
    if (refusals.length > 0) return refusals;
  }
  return [];
}

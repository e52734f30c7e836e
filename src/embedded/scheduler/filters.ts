/**
 * The named filters of the scheduler, in order. Each answers why a node cannot take a pod, in the words of the
 * Kubernetes scheduler (people and tools search for them), or nothing. Pure.
 */
import type { Node, Pod } from "../kubelet/core-types.ts";
import { computePodRequests } from "../kubelet/resources.ts";
import { matchesNodeTerm } from "./label-match.ts";
import { satisfiesExistingAntiAffinity, satisfiesPodAffinity, satisfiesPodAntiAffinity } from "./pod-affinity.ts";
import { findUntoleratedTaint } from "./taints.ts";
import type { ClusterView } from "./view.ts";

export interface Filter {
  readonly name: string;
  /** Reasons against the node; empty when it may take the pod. */
  check(pod: Pod, node: Node, view: ClusterView): readonly string[];
}

const unschedulableTaint = { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" } as const;

const checkUnschedulable: Filter["check"] = (pod, node) => {
  if (node.spec?.unschedulable !== true) return [];
  const cordoned = { ...node, spec: { taints: [unschedulableTaint] } };
  return findUntoleratedTaint(pod, cordoned, ["NoSchedule"]) === undefined ? [] : ["node(s) were unschedulable"];
};

/** Where no lifecycle controller taints dead nodes, the Ready condition is the only sign. */
const checkReady: Filter["check"] = (_pod, node) => {
  const ready = node.status?.conditions?.find((condition) => condition.type === "Ready");
  return ready?.status === "True" ? [] : ["node(s) were not ready"];
};

const checkTaints: Filter["check"] = (pod, node) => {
  const taint = findUntoleratedTaint(pod, node, ["NoSchedule", "NoExecute"]);
  return taint === undefined ? [] : [`node(s) had untolerated taint {${taint.key}: ${taint.value ?? ""}}`];
};

const checkNodeAffinity: Filter["check"] = (pod, node) => {
  const labels = node.metadata.labels ?? {};
  const selected = Object.entries(pod.spec.nodeSelector ?? {}).every(([key, value]) => labels[key] === value);
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  const affine = terms === undefined || terms.some((term) => matchesNodeTerm(term, node));
  return selected && affine ? [] : ["node(s) didn't match Pod's node affinity/selector"];
};

const checkResources: Filter["check"] = (pod, node, view) => {
  const allocatable = view.allocatableOf(node);
  const used = view.usedOn(node.metadata.name);
  const lacking = [...computePodRequests(pod)]
    .filter(([name, milli]) => milli > 0n && milli > (allocatable.get(name) ?? 0n) - (used.get(name) ?? 0n))
    .map(([name]) => `Insufficient ${name}`);
  const slots = allocatable.get("pods");
  const isFull = slots !== undefined && BigInt(view.podsOn(node.metadata.name).length + 1) * 1000n > slots;
  return isFull ? ["Too many pods", ...lacking] : lacking;
};

const checkPodAffinity: Filter["check"] = (pod, node, view) => {
  if (!satisfiesPodAffinity(pod, node, view)) return ["node(s) didn't match pod affinity rules"];
  if (!satisfiesPodAntiAffinity(pod, node, view)) return ["node(s) didn't match pod anti-affinity rules"];
  if (satisfiesExistingAntiAffinity(pod, node, view)) return [];
  return ["node(s) didn't satisfy existing pods anti-affinity rules"];
};

export const filters: readonly Filter[] = [
  { name: "NodeUnschedulable", check: checkUnschedulable },
  { name: "NodeReady", check: checkReady },
  { name: "TaintToleration", check: checkTaints },
  { name: "NodeAffinity", check: checkNodeAffinity },
  { name: "NodeResourcesFit", check: checkResources },
  { name: "InterPodAffinity", check: checkPodAffinity },
];

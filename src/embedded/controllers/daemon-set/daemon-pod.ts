/** The pod that a daemon set wants on one node, and whether the node may have it. Pure. */
import type { Node, NodeSelectorTerm, Pod, PodSpec, Taint, Toleration } from "../../kubelet/core-types.ts";
import { matchesNodeAffinity } from "../../scheduler/label-match.ts";
import { toleratesTaint } from "../../scheduler/taints.ts";
import { buildOwnedPod } from "../pod-control.ts";
import { revisionHashLabel } from "../revision-history.ts";
import type { DaemonSet } from "../workload-types.ts";

const generationAnnotation = "deprecated.daemonset.template.generation";

/** Daemons stay and start where other pods must not: they are what makes the node usable. */
const daemonTolerations: readonly Toleration[] = [
  { key: "node.kubernetes.io/not-ready", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/unreachable", operator: "Exists", effect: "NoExecute" },
  { key: "node.kubernetes.io/disk-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/memory-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/pid-pressure", operator: "Exists", effect: "NoSchedule" },
  { key: "node.kubernetes.io/unschedulable", operator: "Exists", effect: "NoSchedule" },
];
const networkToleration: Toleration = {
  key: "node.kubernetes.io/network-unavailable",
  operator: "Exists",
  effect: "NoSchedule",
};

export function daemonTolerationsFor(spec: PodSpec): readonly Toleration[] {
  const added = spec.hostNetwork === true ? [...daemonTolerations, networkToleration] : daemonTolerations;
  const own = spec.tolerations ?? [];
  const isGiven = (one: Toleration) =>
    own.some((other) => other.key === one.key && other.effect === one.effect && other.operator === one.operator);
  return [...own, ...added.filter((one) => !isGiven(one))];
}

export interface Eligibility {
  /** A pod belongs there. */
  readonly wants: boolean;
  /** A pod that is there may stay. */
  readonly keeps: boolean;
}

export function decideEligibility(set: DaemonSet, node: Node): Eligibility {
  const { spec } = set.spec.template;
  if (!isSelected(spec, node)) return { wants: false, keeps: false };
  const tolerations = daemonTolerationsFor(spec);
  const untolerated = taintsOf(node).filter((taint) => !tolerations.some((one) => toleratesTaint(one, taint)));
  const keeps = !untolerated.some((taint) => taint.effect === "NoExecute");
  return { wants: !untolerated.some((taint) => taint.effect !== "PreferNoSchedule"), keeps };
}

function isSelected(spec: PodSpec, node: Node): boolean {
  return (!spec.nodeName || spec.nodeName === node.metadata.name) && matchesNodeAffinity(spec, node);
}

function taintsOf(node: Node): readonly Taint[] {
  const taints = node.spec?.taints ?? [];
  if (node.spec?.unschedulable !== true) return taints;
  return [...taints, { key: "node.kubernetes.io/unschedulable", effect: "NoSchedule" }];
}

/** The scheduler binds it: by an affinity to the node's name that replaces the template's own. */
export function buildDaemonPod(set: DaemonSet, nodeName: string, hash: string): Pod {
  const pod = buildOwnedPod(set, set.spec.template);
  const generation = set.metadata.annotations?.[generationAnnotation] ?? String(set.metadata.generation ?? 1);
  const labels = { ...pod.metadata.labels, [revisionHashLabel]: hash, "pod-template-generation": generation };
  return {
    ...pod,
    metadata: { ...pod.metadata, labels },
    spec: {
      ...pod.spec,
      affinity: pinTo(pod.spec, nodeName),
      tolerations: daemonTolerationsFor(pod.spec),
    },
  };
}

function pinTo(spec: PodSpec, nodeName: string): NonNullable<PodSpec["affinity"]> {
  const term: NodeSelectorTerm = { matchFields: [{ key: "metadata.name", operator: "In", values: [nodeName] }] };
  const { affinity } = spec;
  return {
    ...affinity,
    nodeAffinity: {
      ...affinity?.nodeAffinity,
      requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [term] },
    },
  };
}

/** The node that a daemon's pod runs on or waits for. */
export function targetNodeOf(pod: Pod): string | undefined {
  if (pod.spec.nodeName) return pod.spec.nodeName;
  const terms = pod.spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  for (const { matchFields = [] } of terms ?? []) {
    const [field] = matchFields;
    if (matchFields.length === 1 && field?.key === "metadata.name" && field.operator === "In") return field.values?.[0];
  }
  return undefined;
}

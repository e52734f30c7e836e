/**
 * Orders the nodes that passed the filters: preferred node affinity, preferred pod affinity, soft topology spread, fewer
 * PreferNoSchedule taints, then the least allocated. Scores are 0 to 100 each, weighted as in the Kubernetes scheduler.
 * Pure.
 */
import type { Node, Pod } from "../kubelet/core-types.ts";
import { computePodRequests } from "../kubelet/resources.ts";
import { matchesNodeTerm } from "./label-match.ts";
import { weighPodAffinity } from "./pod-affinity.ts";
import { countUntoleratedTaints } from "./taints.ts";
import { weighTopologySpread } from "./topology-spread.ts";
import type { ClusterView } from "./view.ts";

const weights = { affinity: 2, podAffinity: 2, spread: 2, taints: 3, leastAllocated: 1 } as const;

export function scoreNodes(pod: Pod, nodes: readonly Node[], view: ClusterView): readonly number[] {
  const affinity = toShares(nodes.map((node) => sumPreferred(pod, node)));
  const podAffinity = toSpan(weighPodAffinity(pod, nodes, view));
  const spread = toSpan(weighTopologySpread(pod, nodes, view).map((weight) => -weight));
  const avoided = toShares(nodes.map((node) => countUntoleratedTaints(pod, node, "PreferNoSchedule")));
  return nodes.map((node, index) => {
    const share = (scores: readonly number[]) => scores[index] ?? 0;
    return (
      weights.affinity * share(affinity) +
      weights.podAffinity * share(podAffinity) +
      weights.spread * share(spread) +
      weights.taints * (100 - share(avoided)) +
      weights.leastAllocated * scoreLeastAllocated(pod, node, view)
    );
  });
}

/** Of the highest, 0 to 100. */
function toShares(values: readonly number[]): readonly number[] {
  const highest = Math.max(1, ...values);
  return values.map((value) => (100 * value) / highest);
}

/** From the lowest to the highest, 0 to 100; where all are equal they say nothing. */
function toSpan(values: readonly number[]): readonly number[] {
  const lowest = Math.min(...values);
  const width = Math.max(...values) - lowest;
  return values.map((value) => (width > 0 ? (100 * (value - lowest)) / width : 0));
}

function sumPreferred(pod: Pod, node: Node): number {
  const preferred = pod.spec.affinity?.nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return preferred
    .filter((entry) => matchesNodeTerm(entry.preference, node))
    .reduce((total, entry) => total + entry.weight, 0);
}

/** Mean free share after placing, over cpu, memory and every extended resource that the pod asks for. */
function scoreLeastAllocated(pod: Pod, node: Node, view: ClusterView): number {
  const requests = computePodRequests(pod);
  const allocatable = view.allocatableOf(node);
  const used = view.usedOn(node.metadata.name);
  const names = new Set(["cpu", "memory", ...requests.keys()]);
  const shares = [...names].flatMap((name) => {
    const total = allocatable.get(name) ?? 0n;
    if (total === 0n) return [];
    const taken = (used.get(name) ?? 0n) + (requests.get(name) ?? 0n);
    return [Math.max(0, 1 - Number(taken) / Number(total))];
  });
  // Pods without requests still spread: the share of pod slots in use breaks their ties.
  const slots = Number(allocatable.get("pods") ?? 110_000n) / 1000;
  shares.push(Math.max(0, 1 - (view.podsOn(node.metadata.name).length + 1) / slots));
  return (100 * shares.reduce((sum, share) => sum + share, 0)) / shares.length;
}

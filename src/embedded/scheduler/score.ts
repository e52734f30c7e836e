/**
 * Orders the nodes that passed the filters: preferred node affinity first in weight, then fewer PreferNoSchedule taints,
 * then the least allocated. Scores are 0 to 100 each, as in the Kubernetes scheduler. Pure.
 */
import type { Node, Pod } from "../kubelet/core-types.ts";
import { computePodRequests } from "../kubelet/resources.ts";
import { matchesNodeTerm } from "./label-match.ts";
import { findUntoleratedTaint } from "./taints.ts";
import type { ClusterView } from "./view.ts";

const weights = { affinity: 2, taints: 3, leastAllocated: 1 } as const;

export function scoreNodes(pod: Pod, nodes: readonly Node[], view: ClusterView): readonly number[] {
  const affinity = nodes.map((node) => sumPreferred(pod, node));
  const highest = Math.max(1, ...affinity);
  return nodes.map((node, index) => {
    const avoided = findUntoleratedTaint(pod, node, ["PreferNoSchedule"]) !== undefined;
    return (
      (weights.affinity * 100 * (affinity[index] ?? 0)) / highest +
      (avoided ? 0 : weights.taints * 100) +
      weights.leastAllocated * scoreLeastAllocated(pod, node, view)
    );
  });
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

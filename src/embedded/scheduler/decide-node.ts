/**
 * The scheduling decision: filter, score, choose. Pure and deterministic: the same pod and view give the same node.
 * Called by the scheduler's loop, which has the effects.
 */
import type { Node, Pod } from "../kubelet/core-types.ts";
import { findRefusals } from "./filters.ts";
import { scoreNodes } from "./score.ts";
import { buildClusterView, type ClusterView, type NamespaceLabels, type PodsByNode } from "./view.ts";

export type NodeDecision =
  | { readonly node: string; readonly score: number }
  | {
      readonly node: undefined;
      /** In the form of the Kubernetes scheduler: "0/6 nodes are available: 3 Insufficient cpu." */
      readonly message: string;
      readonly reasons: ReadonlyMap<string, number>;
      /** Nodes where another pod is in the way. */
      readonly resolvable: readonly Node[];
    };

export function decideNode(
  pod: Pod,
  nodes: readonly Node[],
  podsByNode: PodsByNode,
  namespaceLabels?: NamespaceLabels,
): NodeDecision {
  const view = buildClusterView(nodes, podsByNode, namespaceLabels);
  const reasons = new Map<string, number>();
  const resolvable: Node[] = [];
  const feasible = nodes.filter((node) => {
    const against = findRefusals(pod, node, view);
    for (const { reason } of against) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    if (against.length > 0 && against.every(({ isResolvable }) => isResolvable)) resolvable.push(node);
    return against.length === 0;
  });
  const message = describeReasons(nodes.length, reasons);
  return chooseBest(pod, feasible, view) ?? { node: undefined, message, reasons, resolvable };
}

function chooseBest(pod: Pod, feasible: readonly Node[], view: ClusterView): NodeDecision | undefined {
  const scores = scoreNodes(pod, feasible, view);
  const ranked = feasible
    .map((node, index) => ({ node: node.metadata.name, score: scores[index] ?? 0 }))
    .sort((one, other) => other.score - one.score || (one.node < other.node ? -1 : 1));
  return ranked[0];
}

export function describeReasons(total: number, reasons: ReadonlyMap<string, number>): string {
  if (total === 0) return "no nodes available to schedule pods";
  const counted = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return `0/${total} nodes are available: ${counted.join(", ")}.`;
}

/** Order of the queue: priority downwards, then age, then name. */
export function comparePending(one: Pod, other: Pod): number {
  const byPriority = (other.spec.priority ?? 0) - (one.spec.priority ?? 0);
  if (byPriority !== 0) return byPriority;
  const age = (pod: Pod) => `${pod.metadata.creationTimestamp ?? ""} ${pod.metadata.namespace}/${pod.metadata.name}`;
  return age(one) < age(other) ? -1 : 1;
}

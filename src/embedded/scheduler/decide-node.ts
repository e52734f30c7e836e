/**
 * The scheduling decision: filter, score, choose. Pure and deterministic: the same pod and view give the same node.
 * Called by the scheduler's loop, which has the effects.
 */
import type { Node, Pod } from "../kubelet/core-types.ts";
import { filters } from "./filters.ts";
import { scoreNodes } from "./score.ts";
import { buildClusterView, type ClusterView, type PodsByNode } from "./view.ts";

export type NodeDecision =
  | { readonly node: string; readonly score: number }
  /** `message` is in the form of the Kubernetes scheduler: "0/6 nodes are available: 3 Insufficient cpu." */
  | { readonly node: undefined; readonly message: string; readonly reasons: ReadonlyMap<string, number> };

export function decideNode(pod: Pod, nodes: readonly Node[], podsByNode: PodsByNode): NodeDecision {
  const view = buildClusterView(nodes, podsByNode);
  const reasons = new Map<string, number>();
  const feasible = nodes.filter((node) => {
    const against = findReasons(pod, node, view);
    for (const reason of against) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    return against.length === 0;
  });
  return (
    chooseBest(pod, feasible, view) ?? { node: undefined, message: describeReasons(nodes.length, reasons), reasons }
  );
}

/** The first filter that refuses speaks for the node, as a person wants one cause per node. */
function findReasons(pod: Pod, node: Node, view: ClusterView): readonly string[] {
  for (const filter of filters) {
    const reasons = filter.check(pod, node, view);
    if (reasons.length > 0) return reasons;
  }
  return [];
}

function chooseBest(pod: Pod, feasible: readonly Node[], view: ClusterView): NodeDecision | undefined {
  const scores = scoreNodes(pod, feasible, view);
  const ranked = feasible
    .map((node, index) => ({ node: node.metadata.name, score: scores[index] ?? 0 }))
    .sort((one, other) => other.score - one.score || (one.node < other.node ? -1 : 1));
  return ranked[0];
}

function describeReasons(total: number, reasons: ReadonlyMap<string, number>): string {
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

/**
 * The scheduler's picture of the cluster for one decision: nodes, and what is already placed on each. Built once per
 * decision round; the derived sums are computed once per node. Pure.
 */
import type { Node, Pod } from "../kubelet/core-types.ts";
import { addInto, computePodRequests, type MilliResources, parseResources } from "../kubelet/resources.ts";

export interface ClusterView {
  readonly nodes: readonly Node[];
  podsOn(nodeName: string): readonly Pod[];
  /** Thousandths already asked for on the node. */
  usedOn(nodeName: string): MilliResources;
  allocatableOf(node: Node): MilliResources;
  /** Every placed pod with its node; pods on unknown nodes are left out. */
  placed(): readonly { readonly pod: Pod; readonly node: Node }[];
  namespaceLabels(name: string): Readonly<Record<string, string>>;
}

export type NamespaceLabels = ClusterView["namespaceLabels"];

export type PodsByNode = ReadonlyMap<string, readonly Pod[]>;

const noLabels: NamespaceLabels = () => ({});

export function buildClusterView(
  nodes: readonly Node[],
  podsByNode: PodsByNode,
  namespaceLabels: NamespaceLabels = noLabels,
): ClusterView {
  const used = new Map<string, MilliResources>();
  const allocatable = new Map<string, MilliResources>();
  const podsOn = (nodeName: string) => podsByNode.get(nodeName) ?? [];
  const placed = nodes.flatMap((node) => podsOn(node.metadata.name).map((pod) => ({ pod, node })));
  return {
    nodes,
    podsOn,
    namespaceLabels,
    placed: () => placed,
    allocatableOf: (node) =>
      remember(allocatable, node.metadata.name, () =>
        parseResources(node.status?.allocatable ?? node.status?.capacity),
      ),
    usedOn: (nodeName) => remember(used, nodeName, () => sumRequests(podsOn(nodeName))),
  };
}

function remember(known: Map<string, MilliResources>, name: string, compute: () => MilliResources): MilliResources {
  const value = known.get(name) ?? compute();
  known.set(name, value);
  return value;
}

function sumRequests(pods: readonly Pod[]): MilliResources {
  const total = new Map<string, bigint>();
  for (const pod of pods) addInto(total, computePodRequests(pod));
  return total;
}

/** A pod that has ended holds nothing of its node. */
export function holdsResources(pod: Pod): boolean {
  return pod.status?.phase !== "Succeeded" && pod.status?.phase !== "Failed";
}

/**
 * Topology spread: how evenly the pods of a selector lie over the values of a node label. A hard constraint refuses nodes
 * beyond its skew, a soft one only scores them. Pure. Called by the filters and the scores.
 */
import type { LabelSelector, Node, Pod, TopologySpreadConstraint } from "../kubelet/core-types.ts";
import type { Refusal } from "./filters.ts";
import { matchesLabelSelector, matchesNodeAffinity } from "./label-match.ts";
import { findUntoleratedTaint } from "./taints.ts";
import type { ClusterView } from "./view.ts";

const violated = "node(s) didn't match pod topology spread constraints";

export function checkTopologySpread(pod: Pod, node: Node, view: ClusterView): readonly Refusal[] {
  const constraints = constraintsOf(pod, "DoNotSchedule");
  const labels = node.metadata.labels ?? {};
  if (constraints.some(({ topologyKey }) => labels[topologyKey] === undefined)) {
    return [{ reason: `${violated} (missing required label)`, isResolvable: false }];
  }
  for (const constraint of constraints) {
    const counts = countByDomain(pod, constraint, constraints, view);
    const own = labels[constraint.topologyKey] ?? "";
    const least =
      counts.size < (constraint.minDomains ?? 1) ? 0 : Math.min(...counts.values(), Number.MAX_SAFE_INTEGER);
    const itself = selects(pod, constraint, pod) ? 1 : 0;
    const skew = (counts.get(own) ?? 0) + itself - (counts.size === 0 ? 0 : least);
    if (skew > constraint.maxSkew) return [{ reason: violated, isResolvable: true }];
  }
  return [];
}

/** Pods of soft constraints that a node's domains hold already: fewer is better. One number a node. */
export function weighTopologySpread(pod: Pod, nodes: readonly Node[], view: ClusterView): readonly number[] {
  const constraints = constraintsOf(pod, "ScheduleAnyway");
  const counted = constraints.map((constraint) => ({
    constraint,
    counts: countByDomain(pod, constraint, constraints, view),
  }));
  return nodes.map((node) =>
    counted.reduce((sum, { constraint, counts }) => {
      const domain = node.metadata.labels?.[constraint.topologyKey];
      // A node without the label is in no domain: it is as bad as the fullest.
      const count = domain === undefined ? Math.max(0, ...counts.values()) + 1 : (counts.get(domain) ?? 0);
      return sum + count * Math.log(counts.size + 2) + (constraint.maxSkew - 1);
    }, 0),
  );
}

function constraintsOf(pod: Pod, when: string): readonly TopologySpreadConstraint[] {
  return (pod.spec.topologySpreadConstraints ?? []).filter(({ whenUnsatisfiable }) => whenUnsatisfiable === when);
}

/** Only nodes where the pod itself could go make a domain. */
function countByDomain(
  pod: Pod,
  constraint: TopologySpreadConstraint,
  all: readonly TopologySpreadConstraint[],
  view: ClusterView,
): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const node of view.nodes) {
    const labels = node.metadata.labels ?? {};
    const domain = labels[constraint.topologyKey];
    if (domain === undefined || all.some(({ topologyKey }) => labels[topologyKey] === undefined)) continue;
    if (!isEligible(pod, constraint, node)) continue;
    const here = view.podsOn(node.metadata.name).filter((other) => selects(pod, constraint, other)).length;
    counts.set(domain, (counts.get(domain) ?? 0) + here);
  }
  return counts;
}

function isEligible(pod: Pod, constraint: TopologySpreadConstraint, node: Node): boolean {
  if (constraint.nodeTaintsPolicy === "Honor") {
    if (findUntoleratedTaint(pod, node, ["NoSchedule", "NoExecute"]) !== undefined) return false;
  }
  return constraint.nodeAffinityPolicy === "Ignore" || matchesNodeAffinity(pod.spec, node);
}

function selects(pod: Pod, constraint: TopologySpreadConstraint, other: Pod): boolean {
  if (other.metadata.namespace !== pod.metadata.namespace || other.metadata.deletionTimestamp !== undefined)
    return false;
  const selector = withLabelKeys(constraint.labelSelector, constraint.matchLabelKeys, pod);
  return matchesLabelSelector(selector, other.metadata.labels ?? {});
}

/** `matchLabelKeys` narrow a selector to pods with the same values as the one to be placed. */
export function withLabelKeys(
  selector: LabelSelector | undefined,
  keys: readonly string[] | undefined,
  pod: Pod,
): LabelSelector | undefined {
  if (selector === undefined || keys === undefined) return selector;
  const labels = pod.metadata.labels ?? {};
  const own = keys.flatMap((key) => (labels[key] === undefined ? [] : [[key, labels[key]] as const]));
  return { ...selector, matchLabels: { ...selector.matchLabels, ...Object.fromEntries(own) } };
}

/**
 * Required pod affinity and anti-affinity, both ways: the new pod's terms against the running pods, and the running
 * pods' anti-affinity against the new pod. Pure. Called by the scheduler's filters.
 */
import type { Node, Pod, PodAffinity, PodAffinityTerm } from "../kubelet/core-types.ts";
import { matchesLabelSelector } from "./label-match.ts";
import type { ClusterView } from "./view.ts";

export function satisfiesPodAffinity(pod: Pod, node: Node, view: ClusterView): boolean {
  return requiredTerms(pod.spec.affinity?.podAffinity).every((term) => {
    const matching = findMatches(pod, term, view);
    if (matching.some((other) => sharesTopology(term, node, other.node))) return true;
    // The first pod of a group that wants its own kind beside it would otherwise never start.
    return matching.length === 0 && node.metadata.labels?.[term.topologyKey] !== undefined && selects(term, pod, pod);
  });
}

export function satisfiesPodAntiAffinity(pod: Pod, node: Node, view: ClusterView): boolean {
  return requiredTerms(pod.spec.affinity?.podAntiAffinity).every(
    (term) => !findMatches(pod, term, view).some((other) => sharesTopology(term, node, other.node)),
  );
}

export function satisfiesExistingAntiAffinity(pod: Pod, node: Node, view: ClusterView): boolean {
  return view
    .placed()
    .every(({ pod: other, node: otherNode }) =>
      requiredTerms(other.spec.affinity?.podAntiAffinity).every(
        (term) => !(selects(term, other, pod) && sharesTopology(term, node, otherNode)),
      ),
    );
}

function requiredTerms(affinity: PodAffinity | undefined): readonly PodAffinityTerm[] {
  return affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

function findMatches(owner: Pod, term: PodAffinityTerm, view: ClusterView) {
  return view.placed().filter((other) => selects(term, owner, other.pod));
}

/** An empty namespaceSelector means every namespace; a narrower one needs namespace labels, which are not watched here. */
function selects(term: PodAffinityTerm, owner: Pod, candidate: Pod): boolean {
  const namespaces = term.namespaces ?? (term.namespaceSelector === undefined ? [owner.metadata.namespace] : []);
  const everywhere = term.namespaceSelector !== undefined && Object.keys(term.namespaceSelector).length === 0;
  if (!everywhere && !namespaces.includes(candidate.metadata.namespace ?? "default")) return false;
  return matchesLabelSelector(term.labelSelector, candidate.metadata.labels ?? {});
}

function sharesTopology(term: PodAffinityTerm, one: Node, other: Node): boolean {
  const value = one.metadata.labels?.[term.topologyKey];
  return value !== undefined && value === other.metadata.labels?.[term.topologyKey];
}

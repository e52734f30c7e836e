/**
 * Pod affinity and anti-affinity, both ways: the new pod's terms against the running pods, and the running pods' terms
 * against the new pod. Required terms refuse nodes, preferred ones weigh them. Pure. Called by filters and scores.
 */
import type { Node, Pod, PodAffinity, PodAffinityTerm } from "../kubelet/core-types.ts";
import { matchesLabelSelector } from "./label-match.ts";
import { withLabelKeys } from "./topology-spread.ts";
import type { ClusterView } from "./view.ts";

export function satisfiesPodAffinity(pod: Pod, node: Node, view: ClusterView): boolean {
  const terms = requiredTerms(pod.spec.affinity?.podAffinity);
  const matches = terms.map((term) => findMatches(pod, term, view));
  const isBeside = terms.every((term, index) =>
    matches[index]?.some((other) => sharesTopology(term, node, other.node)),
  );
  if (isBeside) return true;
  // The first pod of a group that wants its own kind beside it would otherwise never start.
  const isFirst = matches.every((found) => found.length === 0);
  return (
    isFirst &&
    terms.every((term) => node.metadata.labels?.[term.topologyKey] !== undefined && selects(term, pod, pod, view))
  );
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
        (term) => !(selects(term, other, pod, view) && sharesTopology(term, node, otherNode)),
      ),
    );
}

/** A running pod that requires company is a little happier with it. */
const requiredTermWeight = 1;

/** One number a node: higher is better, and below zero means better not. */
export function weighPodAffinity(pod: Pod, nodes: readonly Node[], view: ClusterView): readonly number[] {
  const weights = nodes.map(() => 0);
  const add = (weight: number, term: PodAffinityTerm, beside: Node) => {
    for (const [index, node] of nodes.entries()) {
      if (sharesTopology(term, node, beside)) weights[index] = (weights[index] ?? 0) + weight;
    }
  };
  const own = preferences(pod);
  for (const { pod: other, node } of view.placed()) {
    for (const { weight, term } of own) if (selects(term, pod, other, view)) add(weight, term, node);
    for (const { weight, term } of preferences(other)) if (selects(term, other, pod, view)) add(weight, term, node);
    for (const term of requiredTerms(other.spec.affinity?.podAffinity)) {
      if (selects(term, other, pod, view)) add(requiredTermWeight, term, node);
    }
  }
  return weights;
}

function preferences(pod: Pod): readonly { readonly weight: number; readonly term: PodAffinityTerm }[] {
  const { podAffinity, podAntiAffinity } = pod.spec.affinity ?? {};
  const wanted = podAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  const unwanted = podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [];
  return [
    ...wanted.map(({ weight, podAffinityTerm }) => ({ weight, term: podAffinityTerm })),
    ...unwanted.map(({ weight, podAffinityTerm }) => ({ weight: -weight, term: podAffinityTerm })),
  ];
}

function requiredTerms(affinity: PodAffinity | undefined): readonly PodAffinityTerm[] {
  return affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
}

function findMatches(owner: Pod, term: PodAffinityTerm, view: ClusterView) {
  return view.placed().filter((other) => selects(term, owner, other.pod, view));
}

/** Named namespaces and those that the selector picks; neither: the owner's own. An empty selector picks all. */
function selects(term: PodAffinityTerm, owner: Pod, candidate: Pod, view: ClusterView): boolean {
  const namespace = candidate.metadata.namespace ?? "default";
  const isOwn = term.namespaces === undefined && term.namespaceSelector === undefined;
  const isNamed = isOwn ? namespace === owner.metadata.namespace : term.namespaces?.includes(namespace) === true;
  const isPicked = () => matchesLabelSelector(term.namespaceSelector, view.namespaceLabels(namespace));
  if (!isNamed && !isPicked()) return false;
  const selector = withLabelKeys(term.labelSelector, term.matchLabelKeys, owner);
  const labels = candidate.metadata.labels ?? {};
  const differs = (term.mismatchLabelKeys ?? []).every((key) => labels[key] !== owner.metadata.labels?.[key]);
  return differs && matchesLabelSelector(selector, labels);
}

function sharesTopology(term: PodAffinityTerm, one: Node, other: Node): boolean {
  const value = one.metadata.labels?.[term.topologyKey];
  return value !== undefined && value === other.metadata.labels?.[term.topologyKey];
}

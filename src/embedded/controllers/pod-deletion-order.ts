/**
 * Which pods of a replica set go first when it shrinks: those that do the least. Not yet placed, then pending, then not
 * ready, then the cheapest by annotation, then those that double up on a node, then the youngest. Pure.
 */
import type { Pod } from "../kubelet/core-types.ts";
import { countRestarts, isReady, readySince } from "./pod-state.ts";
import { parseTime } from "./times.ts";

const costAnnotation = "controller.kubernetes.io/pod-deletion-cost";
const phaseRank: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** @param related active pods that share a node's burden: those of the set and of its sibling sets */
export function choosePodsToDelete(pods: readonly Pod[], amount: number, related: readonly Pod[]): readonly Pod[] {
  if (amount >= pods.length) return pods;
  const onNode = new Map<string, number>();
  for (const { spec } of related) if (spec.nodeName) onNode.set(spec.nodeName, (onNode.get(spec.nodeName) ?? 0) + 1);
  const rankOf = (pod: Pod) => onNode.get(pod.spec.nodeName ?? "") ?? 0;
  return [...pods].sort((one, other) => compareUsefulness(one, other, rankOf)).slice(0, amount);
}

/** Negative when `one` goes first. */
function compareUsefulness(one: Pod, other: Pod, rankOf: (pod: Pod) => number): number {
  return (
    Number(Boolean(one.spec.nodeName)) - Number(Boolean(other.spec.nodeName)) ||
    phaseOf(one) - phaseOf(other) ||
    Number(isReady(one)) - Number(isReady(other)) ||
    costOf(one) - costOf(other) ||
    rankOf(other) - rankOf(one) ||
    (readySince(other) ?? 0) - (readySince(one) ?? 0) ||
    countRestarts(other) - countRestarts(one) ||
    (parseTime(other.metadata.creationTimestamp) ?? 0) - (parseTime(one.metadata.creationTimestamp) ?? 0) ||
    (one.metadata.name < other.metadata.name ? -1 : 1)
  );
}

function phaseOf(pod: Pod): number {
  return phaseRank[pod.status?.phase ?? "Pending"] ?? 0;
}

function costOf(pod: Pod): number {
  const cost = Number(pod.metadata.annotations?.[costAnnotation] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

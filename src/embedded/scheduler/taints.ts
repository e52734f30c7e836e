/** Which taints of a node keep a pod away. Pure. */
import type { Node, Pod, Taint, Toleration } from "../kubelet/core-types.ts";

export function toleratesTaint(toleration: Toleration, taint: Taint): boolean {
  if (toleration.effect !== undefined && toleration.effect !== "" && toleration.effect !== taint.effect) return false;
  const operator = toleration.operator ?? "Equal";
  const key = toleration.key ?? "";
  if (key === "") return operator === "Exists";
  if (key !== taint.key) return false;
  return operator === "Exists" || (operator === "Equal" && (toleration.value ?? "") === (taint.value ?? ""));
}

/** The first taint of the given effects that the pod does not tolerate. */
export function findUntoleratedTaint(pod: Pod, node: Node, effects: readonly string[]): Taint | undefined {
  const tolerations = pod.spec.tolerations ?? [];
  return (node.spec?.taints ?? []).find(
    (taint) => effects.includes(taint.effect) && !tolerations.some((toleration) => toleratesTaint(toleration, taint)),
  );
}

export function countUntoleratedTaints(pod: Pod, node: Node, effect: string): number {
  const tolerations = pod.spec.tolerations ?? [];
  return (node.spec?.taints ?? []).filter(
    (taint) => taint.effect === effect && !tolerations.some((toleration) => toleratesTaint(toleration, taint)),
  ).length;
}

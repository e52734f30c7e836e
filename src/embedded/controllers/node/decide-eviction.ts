/** When a pod has to leave a node for its NoExecute taints. Pure. */
import type { Node, Pod, Taint } from "../../kubelet/core-types.ts";
import { toleratesTaint } from "../../scheduler/taints.ts";
import { parseTime } from "../times.ts";

/** Milliseconds since the epoch, at once being `nowMs`; `undefined` for a pod that may stay. */
export function decideEvictionTime(pod: Pod, node: Node, nowMs: number): number | undefined {
  const due = (node.spec?.taints ?? [])
    .filter((taint) => taint.effect === "NoExecute")
    .map((taint) => dueFor(pod, taint, nowMs))
    .filter((time) => time !== undefined);
  return due.length === 0 ? undefined : Math.max(nowMs, Math.min(...due));
}

function dueFor(pod: Pod, taint: Taint, nowMs: number): number | undefined {
  const tolerations = (pod.spec.tolerations ?? []).filter((toleration) => toleratesTaint(toleration, taint));
  if (tolerations.length === 0) return nowMs;
  const seconds = tolerations.map(({ tolerationSeconds }) => tolerationSeconds).filter((one) => one !== undefined);
  if (seconds.length === 0) return undefined;
  // The shortest counts, and one below zero is at once.
  return (parseTime(taint.timeAdded) ?? nowMs) + Math.max(0, Math.min(...seconds)) * 1000;
}

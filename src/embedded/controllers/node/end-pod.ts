/** Ends a pod from outside of its node, with the condition that tells why. Effects: its status, its deletion. */
import { isConflict, isNotFound } from "../../../kube/api-error.ts";
import type { Pod } from "../../kubelet/core-types.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { type ControllerContext, clientOf } from "../controller-context.ts";
import { isFinished } from "../pod-state.ts";
import { formatTime } from "../times.ts";

export interface PodEnd {
  readonly reason: string;
  readonly message: string;
  /** The pod cannot end by itself: it is failed, and removed without a grace period. */
  readonly isForced: boolean;
}

export async function endPod(context: ControllerContext, pod: Pod, end: PodEnd): Promise<void> {
  const client = clientOf(context, podResource);
  const { uid } = pod.metadata;
  const lastTransitionTime = formatTime(context.clock.now());
  const condition = { type: "DisruptionTarget", status: "True", reason: end.reason, message: end.message };
  const phase = end.isForced && !isFinished(pod) ? { phase: "Failed" } : {};
  const status = { ...phase, conditions: [{ ...condition, lastTransitionTime }] };
  const grace = end.isForced ? { gracePeriodSeconds: 0 } : {};
  try {
    await client.patch(pod.metadata, { kind: "strategic", subresource: "status", body: { metadata: { uid }, status } });
    await client.delete(pod.metadata, { ...grace, ...(uid === undefined ? {} : { preconditions: { uid } }) });
  } catch (error) {
    // Gone, or another pod by now.
    if (!isNotFound(error) && !isConflict(error)) throw error;
  }
}

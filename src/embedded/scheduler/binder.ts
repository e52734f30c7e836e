/**
 * The scheduler's writes: a binding, or the PodScheduled=False condition and FailedScheduling event of a pod that fits
 * nowhere. The condition is written only when its message changes, so that a waiting pod costs no writes.
 */
import type { Clock } from "../../base/clock.ts";
import { isConflict, isNotFound } from "../../kube/api-error.ts";
import { createClient } from "../../kube/client.ts";
import type { EventRecorder } from "../../kube/events.ts";
import { objectPath } from "../../kube/resource.ts";
import type { Transport } from "../../kube/transport.ts";
import type { Pod } from "../kubelet/core-types.ts";
import { podResource } from "../kubelet/pod-api.ts";
import type { Condition } from "../kubelet/status-types.ts";

export interface PodBinder {
  bind(pod: Pod, nodeName: string): Promise<void>;
  reportUnschedulable(pod: Pod, message: string): Promise<void>;
}

export function createBinder(transport: Transport, events: EventRecorder, clock: Clock): PodBinder {
  const pods = createClient(transport, podResource);
  return {
    bind: async (pod, nodeName) => {
      const { name, namespace, uid } = pod.metadata;
      await transport.request({
        method: "POST",
        path: objectPath(podResource, pod.metadata, "binding"),
        body: {
          apiVersion: "v1",
          kind: "Binding",
          metadata: { name, namespace, uid },
          target: { apiVersion: "v1", kind: "Node", name: nodeName },
        },
      });
      const note = `Successfully assigned ${namespace}/${name} to ${nodeName}`;
      events.record({ regarding: pod, type: "Normal", reason: "Scheduled", action: "Binding", note });
    },
    reportUnschedulable: async (pod, message) => {
      const existing = pod.status?.conditions ?? [];
      const conditions = mergeUnschedulable(existing, message, clock.now(), pod.metadata.generation);
      if (conditions === undefined) return;
      events.record({
        regarding: pod,
        type: "Warning",
        reason: "FailedScheduling",
        action: "Scheduling",
        note: message,
        // Another cause is other news: people read here what is in the way now.
        seriesKey: message,
      });
      const body = { metadata: { uid: pod.metadata.uid }, status: { conditions } };
      try {
        await pods.patch(pod.metadata, { kind: "merge", subresource: "status", body });
      } catch (error) {
        // Deleted or changed since we looked: the informer will tell, and the pod is looked at again.
        if (!isNotFound(error) && !isConflict(error)) throw error;
      }
    },
  };
}

/** `undefined` when the pod says so already. */
export function mergeUnschedulable(
  existing: readonly Condition[],
  message: string,
  nowMs: number,
  generation?: number,
): readonly Condition[] | undefined {
  const before = existing.find((condition) => condition.type === "PodScheduled");
  if (before?.status === "False" && before.reason === "Unschedulable" && before.message === message) return undefined;
  const now = new Date(nowMs).toISOString().replace(/\.\d+Z$/, "Z");
  const lastTransitionTime = before?.status === "False" ? (before.lastTransitionTime ?? now) : now;
  const others = existing.filter((condition) => condition.type !== "PodScheduled");
  const said = { type: "PodScheduled", status: "False", reason: "Unschedulable", message, lastTransitionTime };
  return [...others, generation === undefined ? said : { ...said, observedGeneration: generation }];
}

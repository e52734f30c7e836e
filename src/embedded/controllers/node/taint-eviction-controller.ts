/** Evicts pods from nodes with NoExecute taints that they do not tolerate, or no longer. Effects: deletes pods, events. */
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { objectKey } from "../../../kube/object.ts";
import type { Node } from "../../kubelet/core-types.ts";
import { nodeResource } from "../../kubelet/node-agent.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { type ControllerContext, controllerNamed } from "../controller-context.ts";
import { isFinished } from "../pod-state.ts";
import { decideEvictionTime } from "./decide-eviction.ts";
import { endPod } from "./end-pod.ts";

export function createTaintEvictionController(context: ControllerContext): Controller {
  const pods = context.informers.of(podResource);
  const nodes = context.informers.of(nodeResource);
  const controller = controllerNamed(context, "taint-eviction", (key) => reconcile(context, key));
  const isTainted = (name: string | undefined) => {
    const node = name === undefined ? undefined : nodes.store.get(name);
    return node !== undefined && expellingTaints(node) !== "[]";
  };
  controller.watch(nodes, (event) => {
    const isSame = event.type === "updated" && expellingTaints(event.object) === expellingTaints(event.previous);
    if (isSame || event.type === "deleted" || expellingTaints(event.object) === "[]") return [];
    return pods.store.byIndex("node", event.key).map((pod) => objectKey(pod));
  });
  controller.watch(pods, (event) => (isTainted(event.object.spec.nodeName) ? [event.key] : []));
  return controller;
}

function expellingTaints(node: Node): string {
  return JSON.stringify((node.spec?.taints ?? []).filter((taint) => taint.effect === "NoExecute"));
}

async function reconcile(context: ControllerContext, key: string): Promise<ReconcileResult | undefined> {
  const pod = context.informers.of(podResource).store.get(key);
  const node = context.informers.of(nodeResource).store.get(pod?.spec.nodeName ?? "");
  if (pod === undefined || node === undefined) return undefined;
  if (pod.metadata.deletionTimestamp !== undefined || isFinished(pod)) return undefined;
  const nowMs = context.clock.now();
  const dueAt = decideEvictionTime(pod, node, nowMs);
  if (dueAt === undefined) return undefined;
  if (dueAt > nowMs) return { requeueAfterMs: dueAt - nowMs };
  const component = "taint-eviction-controller";
  context.events.record({
    regarding: pod,
    component,
    reason: "TaintManagerEviction",
    message: `Marking for deletion Pod ${key}`,
  });
  const message = "Taint manager: deleting due to NoExecute taint";
  await endPod(context, pod, { reason: "DeletionByTaintManager", message, isForced: false });
  return undefined;
}

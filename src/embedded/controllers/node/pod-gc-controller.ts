/**
 * Removes the pods of nodes that are gone: no kubelet will ever end them. By the name of the node; a node may come back
 * within the quarantine. Effects: fails and deletes pods.
 */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller, ReconcileResult } from "../../../kube/controller.ts";
import { nodeResource } from "../../kubelet/node-agent.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import { endPod } from "./end-pod.ts";

export function createPodGcController(context: ControllerContext): Controller {
  const nodes = context.informers.of(nodeResource);
  const missingSince = new Map<string, number>();
  const reconcile = async (name: string): Promise<ReconcileResult | undefined> => {
    const pods = context.informers.of(podResource).store.byIndex("node", name);
    if (nodes.store.has(name) || pods.length === 0) {
      missingSince.delete(name);
      return undefined;
    }
    const since = missingSince.get(name) ?? context.clock.monotonic();
    missingSince.set(name, since);
    const leftMs = since + context.timing.podQuarantineMs - context.clock.monotonic();
    if (leftMs > 0) return { requeueAfterMs: leftMs };
    if (await exists(context, name)) return undefined;
    const end = { reason: "DeletionByPodGC", message: "PodGC: node no longer exists", isForced: true };
    for (const pod of pods) await endPod(context, pod, end);
    missingSince.delete(name);
    return undefined;
  };
  const controller = controllerNamed(context, "pod-garbage-collector", reconcile);
  controller.watch(nodes, ({ type, key }) => (type === "deleted" ? [key] : []));
  controller.watch(context.informers.of(podResource), ({ type, object }) => {
    const { nodeName } = object.spec;
    return type === "added" && nodeName && !nodes.store.has(nodeName) ? [nodeName] : [];
  });
  return controller;
}

/** Asked of the server: a cache may be behind, and what follows cannot be undone. */
async function exists(context: ControllerContext, name: string): Promise<boolean> {
  try {
    await clientOf(context, nodeResource).get({ name });
    return true;
  } catch (error) {
    if (isNotFound(error)) return false;
    throw error;
  }
}

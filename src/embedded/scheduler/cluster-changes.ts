/** Which events may make room for a waiting pod. Heartbeats and the scheduler's own status writes are none. Pure. */
import type { StoreEvent } from "../../kube/store.ts";
import type { Node, Pod } from "../kubelet/core-types.ts";
import { holdsResources } from "./view.ts";

export function isHelpfulPodEvent(event: StoreEvent<Pod>): boolean {
  if (event.type !== "updated") return Boolean(event.object.spec.nodeName);
  return placementOf(event.object) !== placementOf(event.previous);
}

function placementOf(pod: Pod): string {
  const isPlaced = Boolean(pod.spec.nodeName);
  return isPlaced ? JSON.stringify([pod.spec.nodeName, holdsResources(pod), pod.metadata.labels]) : "";
}

export function isHelpfulNodeEvent(event: StoreEvent<Node>): boolean {
  return event.type !== "updated" || offerOf(event.object) !== offerOf(event.previous);
}

function offerOf({ metadata, spec, status }: Node): string {
  const ready = status?.conditions?.find((condition) => condition.type === "Ready")?.status;
  return JSON.stringify([metadata.labels, spec, status?.allocatable ?? status?.capacity, ready]);
}

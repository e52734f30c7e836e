/**
 * Feeds a controller from the pods of its objects: every change wakes the owner and settles its expectations, and an
 * orphan wakes all that might adopt it. Called by each controller of pods when it is made.
 */
import type { Controller } from "../../kube/controller.ts";
import { type KubeObject, objectKey } from "../../kube/object.ts";
import type { ResourceType } from "../../kube/resource.ts";
import type { StoreEvent } from "../../kube/store.ts";
import type { LabelSelector, Pod } from "../kubelet/core-types.ts";
import { podResource } from "../kubelet/pod-api.ts";
import { matchesLabelSelector } from "../scheduler/label-match.ts";
import type { ControllerContext } from "./controller-context.ts";
import type { Expectations } from "./expectations.ts";
import { controllerOf } from "./owners.ts";

export interface OwnedPods<T extends KubeObject> {
  readonly type: ResourceType<T>;
  readonly controller: Controller;
  readonly expectations?: Expectations;
  readonly selectorOf: (owner: T) => LabelSelector | undefined;
}

export function watchOwnedPods<T extends KubeObject>(context: ControllerContext, owned: OwnedPods<T>): void {
  const { controller, expectations, type } = owned;
  const owners = context.informers.of(type).store;
  const ownerKey = (pod: Pod): string | undefined => {
    const reference = controllerOf(pod);
    if (reference?.kind !== type.kind) return undefined;
    const key = objectKey({ metadata: { name: reference.name, namespace: pod.metadata.namespace ?? "" } });
    return owners.get(key)?.metadata.uid === reference.uid ? key : undefined;
  };
  const wakeAdopters = (pod: Pod) => {
    for (const owner of owners.byIndex("namespace", pod.metadata.namespace ?? "")) {
      if (matchesLabelSelector(owned.selectorOf(owner), pod.metadata.labels ?? {}))
        controller.enqueue(objectKey(owner));
    }
  };
  context.informers.of(podResource).onEvent((event) => {
    const key = ownerKey(event.object);
    if (expectations !== undefined && key !== undefined) settle(expectations, key, event);
    // A released pod wakes the owner that it had.
    const before = event.type === "updated" ? ownerKey(event.previous) : undefined;
    for (const one of new Set([key, before])) if (one !== undefined) controller.enqueue(one);
    if (controllerOf(event.object) === undefined && event.type !== "deleted") wakeAdopters(event.object);
  });
}

function settle(expectations: Expectations, key: string, event: StoreEvent<Pod>): void {
  const { uid = "", deletionTimestamp } = event.object.metadata;
  if (event.type === "added") expectations.creationObserved(key);
  if (event.type === "deleted" || deletionTimestamp !== undefined) expectations.deletionObserved(key, uid);
}

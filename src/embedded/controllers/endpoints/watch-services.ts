/** What wakes an endpoint controller: services, and pods that a service selects or selected until now. */
import type { Controller } from "../../../kube/controller.ts";
import { objectKey } from "../../../kube/object.ts";
import type { Pod } from "../../kubelet/core-types.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import type { ControllerContext } from "../controller-context.ts";
import { serviceResource } from "../network-types.ts";
import { isReady } from "../pod-state.ts";
import { isSelectedBy } from "./service-pods.ts";

export function watchServices(context: ControllerContext, controller: Controller): void {
  const services = context.informers.of(serviceResource);
  controller.watch(services);
  controller.watch(context.informers.of(podResource), (event) => {
    if (event.type === "updated" && servingOf(event.object) === servingOf(event.previous)) return [];
    const versions = event.type === "updated" ? [event.object, event.previous] : [event.object];
    return services.store
      .byIndex("namespace", event.object.metadata.namespace ?? "")
      .filter((service) => versions.some((pod) => isSelectedBy(service, pod)))
      .map((service) => objectKey(service));
  });
}

/** What of a pod an endpoint shows. */
function servingOf(pod: Pod): string {
  const { labels, deletionTimestamp } = pod.metadata;
  const { phase, podIP } = pod.status ?? {};
  return JSON.stringify([labels, deletionTimestamp !== undefined, phase, podIP, isReady(pod), pod.spec.nodeName]);
}

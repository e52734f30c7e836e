/** Keeps the Endpoints objects of services with a selector, for the clients that still read them. Effects: writes. */
import { isNotFound } from "../../../kube/api-error.ts";
import type { Controller } from "../../../kube/controller.ts";
import type { Pod } from "../../kubelet/core-types.ts";
import { podResource } from "../../kubelet/pod-api.ts";
import { canonicalJson, sameJson } from "../canonical.ts";
import { type ControllerContext, clientOf, controllerNamed } from "../controller-context.ts";
import {
  type EndpointAddress,
  type EndpointPort,
  type EndpointSubset,
  type Endpoints,
  endpointsResource,
  type Service,
  serviceResource,
} from "../network-types.ts";
import { findServicePods, reachabilityOf, resolvePorts } from "./service-pods.ts";
import { watchServices } from "./watch-services.ts";

const managedByLabel = "endpoints.kubernetes.io/managed-by";
const manager = "endpoint-controller";
const headlessLabel = "service.kubernetes.io/headless";

export function createEndpointsController(context: ControllerContext): Controller {
  const controller = controllerNamed(context, "endpoint", (key) => reconcile(context, key));
  watchServices(context, controller);
  controller.watch(context.informers.of(endpointsResource), ({ type, key }) => (type === "added" ? [] : [key]));
  return controller;
}

async function reconcile(context: ControllerContext, key: string): Promise<void> {
  const { informers } = context;
  const client = clientOf(context, endpointsResource);
  const service = informers.of(serviceResource).store.get(key);
  const existing = informers.of(endpointsResource).store.get(key);
  if (service === undefined) {
    // Endpoints share their service's name and go with it.
    if (existing?.metadata.labels?.[managedByLabel] !== manager) return;
    return client.delete(existing.metadata).catch((error: unknown) => {
      if (!isNotFound(error)) throw error;
    });
  }
  if (Object.keys(service.spec?.selector ?? {}).length === 0 || service.metadata.deletionTimestamp !== undefined)
    return;
  const pods = informers.of(podResource).store.byIndex("namespace", service.metadata.namespace ?? "");
  const wanted = buildEndpoints(service, pods);
  if (existing === undefined) await client.create(wanted);
  else if (!sameJson([existing.subsets, existing.metadata.labels], [wanted.subsets, wanted.metadata.labels])) {
    await client.update({ ...existing, ...wanted, metadata: { ...existing.metadata, ...wanted.metadata } });
  }
}

export function buildEndpoints(service: Service, pods: readonly Pod[]): Endpoints {
  const groups = new Map<
    string,
    { ports: readonly EndpointPort[]; ready: EndpointAddress[]; not: EndpointAddress[] }
  >();
  for (const pod of findServicePods(service, pods)) {
    const { ready, terminating } = reachabilityOf(service, pod);
    if (terminating && !ready) continue;
    const ports = resolvePorts(service, pod).map(withoutEmptyName);
    const key = canonicalJson(ports);
    const group = groups.get(key) ?? { ports, ready: [], not: [] };
    group[ready ? "ready" : "not"].push(buildAddress(service, pod));
    groups.set(key, group);
  }
  const { name, namespace, labels } = service.metadata;
  const headless = service.spec?.clusterIP === "None" ? { [headlessLabel]: "" } : {};
  return {
    apiVersion: endpointsResource.apiVersion,
    kind: endpointsResource.kind,
    metadata: { name, namespace: namespace ?? "", labels: { ...labels, [managedByLabel]: manager, ...headless } },
    subsets: [...groups.values()].map(
      ({ ports, ready, not }): EndpointSubset => ({
        ...(ready.length === 0 ? {} : { addresses: ready }),
        ...(not.length === 0 ? {} : { notReadyAddresses: not }),
        ...(ports.length === 0 ? {} : { ports }),
      }),
    ),
  };
}

function withoutEmptyName({ name, ...port }: EndpointPort): EndpointPort {
  return name ? { name, ...port } : port;
}

function buildAddress(service: Service, pod: Pod): EndpointAddress {
  const { name, namespace, uid } = pod.metadata;
  const { nodeName, hostname, subdomain } = pod.spec;
  return {
    ip: pod.status?.podIP ?? "",
    ...(hostname && subdomain === service.metadata.name ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: "Pod", ...(namespace ? { namespace } : {}), name, ...(uid ? { uid } : {}) },
  };
}

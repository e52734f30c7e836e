/** The endpoint slices that a service should have: pods by the ports they serve, a hundred to a slice. Pure. */
import type { Node, Pod } from "../../kubelet/core-types.ts";
import { canonicalJson } from "../canonical.ts";
import type { Endpoint, EndpointPort, EndpointSlice, Service } from "../network-types.ts";
import { findServicePods, reachabilityOf, resolvePorts } from "./service-pods.ts";

export const serviceNameLabel = "kubernetes.io/service-name";
export const managedByLabel = "endpointslice.kubernetes.io/managed-by";
export const sliceManager = "endpointslice-controller.k8s.io";
const headlessLabel = "service.kubernetes.io/headless";
const zoneLabel = "topology.kubernetes.io/zone";
const maxEndpoints = 100;

export type SliceContent = Pick<EndpointSlice, "addressType" | "endpoints" | "ports">;

export function buildSlices(
  service: Service,
  pods: readonly Pod[],
  nodeOf: (name: string) => Node | undefined,
): readonly SliceContent[] {
  const addressType = service.spec?.ipFamilies?.[0] === "IPv6" ? "IPv6" : "IPv4";
  const groups = new Map<string, { ports: readonly EndpointPort[]; endpoints: Endpoint[] }>();
  for (const pod of findServicePods(service, pods)) {
    const ports = resolvePorts(service, pod);
    const key = canonicalJson(ports);
    const group = groups.get(key) ?? { ports, endpoints: [] };
    group.endpoints.push(buildEndpoint(service, pod, nodeOf));
    groups.set(key, group);
  }
  // A service without pods has one empty slice, so that its readers know that it was looked at.
  if (groups.size === 0) return [{ addressType, endpoints: [], ports: [] }];
  return [...groups.values()].flatMap(({ ports, endpoints }) =>
    chunk(endpoints).map((part) => ({ addressType, endpoints: part, ports })),
  );
}

function buildEndpoint(service: Service, pod: Pod, nodeOf: (name: string) => Node | undefined): Endpoint {
  const { name, namespace, uid } = pod.metadata;
  const { nodeName, hostname, subdomain } = pod.spec;
  const zone = nodeName === undefined ? undefined : nodeOf(nodeName)?.metadata.labels?.[zoneLabel];
  const isNamed = Boolean(hostname) && subdomain === service.metadata.name;
  return {
    addresses: [pod.status?.podIP ?? ""],
    conditions: reachabilityOf(service, pod),
    ...(isNamed && hostname ? { hostname } : {}),
    ...(nodeName === undefined ? {} : { nodeName }),
    targetRef: { kind: "Pod", ...(namespace ? { namespace } : {}), name, ...(uid ? { uid } : {}) },
    ...(zone === undefined ? {} : { zone }),
  };
}

function chunk(endpoints: readonly Endpoint[]): readonly (readonly Endpoint[])[] {
  const amount = Math.ceil(endpoints.length / maxEndpoints);
  return Array.from({ length: amount }, (_, index) =>
    endpoints.slice(index * maxEndpoints, (index + 1) * maxEndpoints),
  );
}

/** Labels of the service go along; the ones of the controller win. */
export function sliceLabels(service: Service): Record<string, string> {
  return {
    ...service.metadata.labels,
    [serviceNameLabel]: service.metadata.name,
    [managedByLabel]: sliceManager,
    ...(service.spec?.clusterIP === "None" ? { [headlessLabel]: "" } : {}),
  };
}

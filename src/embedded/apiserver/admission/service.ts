/** The service strategy: defaults, addresses and node ports, and what a change of type drops. */
import { asArray, asObject, asString, deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../object.ts";
import type { Strategy } from "../registry/kind.ts";
import { checkDnsLabel } from "../registry/names.ts";
import { clientIpTimeoutSeconds, isExternal, needsNodePorts } from "../validation/service-types.ts";
import { validateService } from "../validation/services.ts";
import { allocateAddresses, allocateNodePorts } from "./service-allocation.ts";

export const serviceStrategy: Strategy = {
  checkName: checkDnsLabel,
  applyDefaults: defaultService,
  prepareCreate: (service, context) => {
    service.status = { loadBalancer: {} };
    normalizeClusterIp(specOf(service), undefined);
    allocateAddresses(service, context);
    allocateNodePorts(service, context);
  },
  prepareUpdate: (service, old, context) => {
    const [spec, before] = [specOf(service), specOf(old)];
    normalizeClusterIp(spec, before);
    keepAllocated(spec, before);
    dropUnused(spec, before);
    if (spec.type !== "LoadBalancer") service.status = { ...statusOf(service), loadBalancer: {} };
    allocateAddresses(service, context, old);
    allocateNodePorts(service, context);
  },
  validate: (service, old, subresource) => (subresource === "status" ? [] : validateService(service, old)),
  returnsDeletedObject: true,
};

function defaultService(service: KubeObject): void {
  const spec = specOf(service);
  service.spec = spec;
  service.status = { loadBalancer: {}, ...statusOf(service) };
  spec.sessionAffinity ??= "None";
  if (spec.sessionAffinity === "None") delete spec.sessionAffinityConfig;
  if (
    spec.sessionAffinity === "ClientIP" &&
    asObject(asObject(spec.sessionAffinityConfig).clientIP).timeoutSeconds === undefined
  )
    spec.sessionAffinityConfig = { clientIP: { timeoutSeconds: clientIpTimeoutSeconds } };
  spec.type ??= "ClusterIP";
  for (const port of asArray(spec.ports).map(asObject)) {
    port.protocol ??= "TCP";
    if (port.targetPort === undefined || port.targetPort === 0 || port.targetPort === "") port.targetPort = port.port;
  }
  if (isExternal(spec)) spec.externalTrafficPolicy ??= "Cluster";
  if (spec.type !== "ExternalName") spec.internalTrafficPolicy ??= "Cluster";
  if (spec.type === "LoadBalancer") spec.allocateLoadBalancerNodePorts ??= true;
}

/** `clusterIP` is the first of `clusterIPs`: who sets or clears one of them means both. */
function normalizeClusterIp(spec: JsonObject, before: JsonObject | undefined): void {
  const one = asString(spec.clusterIP);
  const sameList = before !== undefined && deepEqual(spec.clusterIPs, before.clusterIPs);
  if (before === undefined) {
    if (one !== "" && asArray(spec.clusterIPs).length === 0) spec.clusterIPs = [one];
    return;
  }
  if (one === asString(before.clusterIP)) return;
  if (one === "" && sameList) delete spec.clusterIPs;
  else if (one !== "" && sameList) spec.clusterIPs = [one, ...asArray(spec.clusterIPs).slice(1)];
  else if (one !== "" && asArray(spec.clusterIPs).length === 0) spec.clusterIPs = [one];
}

const needsClusterIp = (spec: JsonObject) => spec.type !== "ExternalName";
const needsHealthPort = (spec: JsonObject) => spec.type === "LoadBalancer" && spec.externalTrafficPolicy === "Local";

/** Clients that send a manifest again leave out what the server chose. */
function keepAllocated(spec: JsonObject, before: JsonObject): void {
  if (needsClusterIp(spec) && needsClusterIp(before)) {
    if (asString(spec.clusterIP) === "") spec.clusterIP = before.clusterIP;
    if (asArray(spec.clusterIPs).length === 0 && before.clusterIPs !== undefined) spec.clusterIPs = before.clusterIPs;
  }
  if (needsHealthPort(spec) && needsHealthPort(before)) spec.healthCheckNodePort ??= before.healthCheckNodePort;
  if (!needsNodePorts(spec) || !needsNodePorts(before)) return;
  const taken = new Set(asArray(spec.ports).map((port) => asObject(port).nodePort));
  const known = new Map(asArray(before.ports).map((port) => [asObject(port).name, asObject(port).nodePort]));
  for (const port of asArray(spec.ports).map(asObject)) {
    const was = known.get(port.name);
    if (port.nodePort === undefined && was !== undefined && !taken.has(was)) port.nodePort = was;
  }
}

/** Fields that the new type has no use for go with the old one, unless the client changed them as well. */
function dropUnused(spec: JsonObject, before: JsonObject): void {
  if (needsClusterIp(before) && !needsClusterIp(spec)) {
    if (deepEqual(spec.clusterIPs, before.clusterIPs))
      for (const name of ["clusterIP", "clusterIPs"]) delete spec[name];
    dropSame(spec, before, ["ipFamilies", "ipFamilyPolicy"]);
  }
  const nodePorts = (one: JsonObject) => asArray(one.ports).map((port) => asObject(port).nodePort);
  if (needsNodePorts(before) && !needsNodePorts(spec) && deepEqual(nodePorts(spec), nodePorts(before)))
    for (const port of asArray(spec.ports)) if (isObject(port)) delete port.nodePort;
  if (needsHealthPort(before) && !needsHealthPort(spec)) dropSame(spec, before, ["healthCheckNodePort"]);
  if (before.type === "LoadBalancer" && spec.type !== "LoadBalancer")
    dropSame(spec, before, ["allocateLoadBalancerNodePorts", "loadBalancerClass"]);
  if (isExternal(before) && !isExternal(spec)) dropSame(spec, before, ["externalTrafficPolicy"]);
}

function dropSame(spec: JsonObject, before: JsonObject, fields: readonly string[]): void {
  for (const field of fields) if (deepEqual(spec[field], before[field])) delete spec[field];
}

/** What the types of services imply. Pure. */
import { asArray, type JsonObject } from "../json-value.ts";

/** Three hours, as kube-proxy keeps a client with one pod. */
export const clientIpTimeoutSeconds = 10_800;

export const needsNodePorts = (spec: JsonObject): boolean =>
  spec.type === "NodePort" || (spec.type === "LoadBalancer" && spec.allocateLoadBalancerNodePorts !== false);

/** Reachable from outside of the cluster. */
export const isExternal = (spec: JsonObject): boolean =>
  spec.type === "LoadBalancer" ||
  spec.type === "NodePort" ||
  (spec.type === "ClusterIP" && asArray(spec.externalIPs).length > 0);

/** What one object takes of a quota, by the names that quotas use: `pods`, `requests.cpu`, `count/jobs.batch`. Pure. */

import { addQuantities } from "../../../quantity.ts";
import { asArray, asObject, asString } from "../../json-value.ts";
import { type KubeObject, specOf, statusOf } from "../../object.ts";
import type { ResourceKind } from "../../registry/kind.ts";
import { podResources, type ResourceList, resourceList } from "../pod-resources.ts";

const classAnnotation = "volume.beta.kubernetes.io/storage-class";
/** Kinds that quotas count by their bare plural as well. */
const countedByPlural = ["configmaps", "secrets", "replicationcontrollers", "resourcequotas"];

export function usageOf(kind: ResourceKind, object: KubeObject, nowMs: number): ResourceList {
  const counted = { [countName(kind)]: "1" };
  if (countedByPlural.includes(kind.storage)) return { ...counted, [kind.plural]: "1" };
  if (kind.storage === "pods") return isCharged(object, nowMs) ? { ...counted, ...podUsage(object) } : counted;
  if (kind.storage === "services") return { ...counted, ...serviceUsage(object) };
  if (kind.storage === "persistentvolumeclaims") return { ...counted, ...claimUsage(object) };
  return counted;
}

export function countName({ group, plural }: ResourceKind): string {
  return group === "" ? `count/${plural}` : `count/${plural}.${group}`;
}

/** Resources that each container must state where a quota limits them. */
const stated = ["cpu", "memory", "requests.cpu", "requests.memory", "limits.cpu", "limits.memory"];

/** Why a pod cannot be weighed against a quota of these names; undefined when it can. */
export function findUnstated(pod: KubeObject, names: readonly string[]): string | undefined {
  const required = names.filter((name) => stated.includes(name)).sort();
  const containers = [...asArray(specOf(pod).containers), ...asArray(specOf(pod).initContainers)].map(asObject);
  const missing = required.flatMap((name) => {
    const without = containers.filter((container) => computeUsage(sidesOf(container.resources))[name] === undefined);
    const who = without.map((container) => asString(container.name)).sort();
    return who.length === 0 ? [] : [`${name} for: ${who.join(",")}`];
  });
  return missing.length === 0 ? undefined : `must specify ${missing.join("; ")}`;
}

interface Sides {
  readonly requests: ResourceList;
  readonly limits: ResourceList;
}

function sidesOf(resources: unknown): Sides {
  const { requests, limits } = asObject(resources);
  return { requests: resourceList(requests), limits: resourceList(limits) };
}

const podUsage = (pod: KubeObject): ResourceList => ({ ...computeUsage(podResources(specOf(pod))), pods: "1" });

const computeNames = ["cpu", "memory", "ephemeral-storage"];

function computeUsage({ requests, limits }: Sides): ResourceList {
  const usage: Record<string, string> = {};
  for (const [name, quantity] of Object.entries(requests)) {
    // Extended resources are limited by what is requested alone, and under that name.
    if (computeNames.includes(name) || name.startsWith("hugepages-")) usage[name] = quantity;
    usage[`requests.${name}`] = quantity;
  }
  for (const name of computeNames) if (limits[name] !== undefined) usage[`limits.${name}`] = limits[name];
  return usage;
}

/** Pods that ended, or whose time to end is over, hold nothing. */
function isCharged(pod: KubeObject, nowMs: number): boolean {
  if (["Succeeded", "Failed"].includes(asString(statusOf(pod).phase))) return false;
  const { deletionTimestamp, deletionGracePeriodSeconds } = pod.metadata;
  if (deletionTimestamp === undefined) return true;
  return nowMs <= Date.parse(deletionTimestamp) + Number(deletionGracePeriodSeconds ?? 0) * 1000;
}

function serviceUsage(service: KubeObject): ResourceList {
  const { type, ports, allocateLoadBalancerNodePorts } = specOf(service);
  const amount = asArray(ports).length;
  const withNodePorts = type === "NodePort" || (type === "LoadBalancer" && allocateLoadBalancerNodePorts !== false);
  return {
    services: "1",
    "services.nodeports": withNodePorts ? String(amount) : "0",
    "services.loadbalancers": type === "LoadBalancer" ? "1" : "0",
  };
}

function claimUsage(claim: KubeObject): ResourceList {
  const spec = specOf(claim);
  const storage = resourceList(asObject(spec.resources).requests).storage;
  const storageClass = claim.metadata.annotations?.[classAnnotation] ?? asString(spec.storageClassName);
  const own: Record<string, string> = { persistentvolumeclaims: "1" };
  if (storage !== undefined) own["requests.storage"] = storage;
  if (storageClass === "") return own;
  const prefix = `${storageClass}.storageclass.storage.k8s.io/`;
  own[`${prefix}persistentvolumeclaims`] = "1";
  if (storage !== undefined) own[`${prefix}requests.storage`] = storage;
  return own;
}

/** Only what `names` names. */
export function maskUsage(usage: ResourceList, names: readonly string[]): ResourceList {
  return Object.fromEntries(names.flatMap((name) => (usage[name] === undefined ? [] : [[name, usage[name]]])));
}

export function addUsage(total: Record<string, string>, usage: ResourceList): void {
  for (const [name, quantity] of Object.entries(usage)) total[name] = addQuantities(total[name] ?? "0", quantity);
}

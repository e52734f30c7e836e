/**
 * How lists and maps of the built-in kinds merge (Kubernetes API reference: patch merge keys and list map keys), by
 * "Model.field". The client models do not carry it; lists that are not named here are atomic.
 */
import type { Schema } from "./schema.ts";

const mapped = (...keys: string[]): Schema => ({
  "x-kubernetes-list-type": "map",
  "x-kubernetes-list-map-keys": keys,
  "x-kubernetes-patch-merge-key": keys[0] ?? "",
  "x-kubernetes-patch-strategy": "merge",
});
const set: Schema = { "x-kubernetes-list-type": "set", "x-kubernetes-patch-strategy": "merge" };
const atomicMap: Schema = { "x-kubernetes-map-type": "atomic" };
/** Union-like structs: a strategic merge patch drops the keys of the old variant, unless told otherwise. */
const retainKeys: Schema = { "x-kubernetes-patch-strategy": "retainKeys" };

const containerLists = (model: string): Record<string, Schema> => ({
  [`${model}.env`]: mapped("name"),
  [`${model}.ports`]: mapped("containerPort", "protocol"),
  [`${model}.volumeMounts`]: mapped("mountPath"),
  [`${model}.volumeDevices`]: mapped("devicePath"),
});

export const listSemantics: Readonly<Record<string, Schema>> = {
  "V1ObjectMeta.ownerReferences": mapped("uid"),
  "V1ObjectMeta.finalizers": set,
  ...containerLists("V1Container"),
  ...containerLists("V1EphemeralContainer"),
  "V1PodSpec.containers": mapped("name"),
  "V1PodSpec.initContainers": mapped("name"),
  "V1PodSpec.ephemeralContainers": mapped("name"),
  "V1PodSpec.volumes": { ...mapped("name"), "x-kubernetes-patch-strategy": "merge,retainKeys" },
  "V1PodSpec.imagePullSecrets": mapped("name"),
  "V1PodSpec.hostAliases": mapped("ip"),
  "V1PodSpec.topologySpreadConstraints": mapped("topologyKey", "whenUnsatisfiable"),
  "V1PodSpec.schedulingGates": mapped("name"),
  "V1PodSpec.resourceClaims": { ...mapped("name"), "x-kubernetes-patch-strategy": "merge,retainKeys" },
  "V1PodSpec.nodeSelector": atomicMap,
  "V1PodStatus.conditions": mapped("type"),
  "V1PodStatus.podIPs": mapped("ip"),
  "V1PodStatus.hostIPs": {
    "x-kubernetes-list-type": "atomic",
    "x-kubernetes-patch-merge-key": "ip",
    "x-kubernetes-patch-strategy": "merge",
  },
  "V1PodStatus.resourceClaimStatuses": { ...mapped("name"), "x-kubernetes-patch-strategy": "merge,retainKeys" },
  "V1ResourceRequirements.claims": mapped("name"),
  "V1NodeSpec.podCIDRs": set,
  "V1NodeStatus.addresses": mapped("type"),
  "V1NodeStatus.conditions": mapped("type"),
  "V1NamespaceStatus.conditions": mapped("type"),
  "V1ServiceAccount.secrets": mapped("name"),
  "V1ServiceSpec.ports": { ...mapped("port", "protocol") },
  "V1ServiceSpec.selector": atomicMap,
  "V1ServiceStatus.conditions": mapped("type"),
  "V1DeploymentSpec.strategy": retainKeys,
  "V1DeploymentStatus.conditions": mapped("type"),
  "V1ReplicaSetStatus.conditions": mapped("type"),
  "V1DaemonSetStatus.conditions": mapped("type"),
  "V1StatefulSetStatus.conditions": mapped("type"),
  "V1JobStatus.conditions": mapped("type"),
  "V1PodDisruptionBudgetStatus.conditions": mapped("type"),
  "V1CustomResourceDefinitionStatus.conditions": mapped("type"),
};

/** Fields that hold resource quantities: numbers are accepted there and stored as strings. */
export const quantityFields: ReadonlySet<string> = new Set([
  "V1ResourceRequirements.limits",
  "V1ResourceRequirements.requests",
  "V1NodeStatus.capacity",
  "V1NodeStatus.allocatable",
  "V1PodSpec.overhead",
  "V1ContainerStatus.allocatedResources",
  "V1PodStatus.allocatedResources",
  "V1EmptyDirVolumeSource.sizeLimit",
  "V1ResourceFieldSelector.divisor",
  "V1VolumeResourceRequirements.limits",
  "V1VolumeResourceRequirements.requests",
]);

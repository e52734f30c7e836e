/** The objects that every cluster has from the start. Effects: creates them. */
import { systemPriorities } from "../admission/core-strategies.ts";
import { apiServerIp, serviceCidr } from "../admission/service-allocation.ts";
import { reconcileDefaultPolicy } from "../authorization/default-policy/reconcile.ts";
import type { JsonObject } from "../json-value.ts";
import { formatTime, specOf } from "../object.ts";
import { type ApiContext, internalWrite, keyOf } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";
import { updateObject } from "../operations/update.ts";
import type { ResourceKind } from "../registry/kind.ts";
import type { StoredObject } from "../storage/stored-object.ts";

const namespaces = ["default", "kube-node-lease", "kube-public", "kube-system"];

const priorityDescriptions: Readonly<Record<string, string>> = {
  "system-cluster-critical":
    "Used for system critical pods that must run in the cluster, but can be moved to another node if necessary.",
  "system-node-critical": "Used for system critical pods that must not be moved from their current node.",
};

export function bootstrapObjects(context: ApiContext): void {
  for (const name of namespaces) create(context, { apiVersion: "v1", kind: "Namespace", metadata: { name } });
  reconcileDefaultPolicy(context);
  for (const [name, value] of Object.entries(systemPriorities)) {
    create(context, {
      apiVersion: "scheduling.k8s.io/v1",
      kind: "PriorityClass",
      metadata: { name },
      value,
      description: priorityDescriptions[name] ?? "",
    });
  }
  bootstrapServiceRange(context);
}

function bootstrapServiceRange(context: ApiContext): void {
  const range = create(context, {
    apiVersion: "networking.k8s.io/v1",
    kind: "ServiceCIDR",
    metadata: { name: "kubernetes" },
    spec: { cidrs: [serviceCidr] },
  });
  if (range === undefined) return;
  const ready = {
    type: "Ready",
    status: "True",
    lastTransitionTime: formatTime(context.clock.now()),
    reason: "",
    message: "Kubernetes default Service CIDR is ready",
  };
  const candidate = { ...range.old.object, status: { conditions: [ready] } };
  const target = { kind: range.kind, namespace: undefined, name: "kubernetes", subresource: "status" };
  updateObject(context, target, { old: range.old, candidate }, internalWrite("kube-apiserver"));
}

/**
 * The service under which pods of a real cluster find the API server. It has no endpoints here: loopback addresses may be
 * none, and pods are given the server's own address.
 */
export function bootstrapService(context: ApiContext, port: number): void {
  const ports = [{ name: "https", port: 443, protocol: "TCP", targetPort: port }];
  const made = create(context, {
    apiVersion: "v1",
    kind: "Service",
    metadata: {
      name: "kubernetes",
      namespace: "default",
      labels: { component: "apiserver", provider: "kubernetes" },
    },
    spec: {
      clusterIP: apiServerIp,
      ports,
      sessionAffinity: "None",
      type: "ClusterIP",
    },
  });
  if (made === undefined) movePort(context, ports);
}

/** With a data directory, the service may be of a run on another port. */
function movePort(context: ApiContext, ports: readonly JsonObject[]): void {
  const kind = context.kinds.find("", "v1", "services");
  const old = kind === undefined ? undefined : context.store.get(kind.storage, "default/kubernetes");
  if (kind === undefined || old === undefined) return;
  const candidate = { ...old.object, spec: { ...specOf(old.object), ports } };
  const target = { kind, namespace: "default", name: "kubernetes", subresource: "" };
  updateObject(context, target, { old, candidate }, internalWrite("kube-apiserver"));
}

function create(
  context: ApiContext,
  object: JsonObject,
): { readonly kind: ResourceKind; readonly old: StoredObject } | undefined {
  const kind = context.kinds.findByKind(String(object.apiVersion), String(object.kind));
  if (kind === undefined) throw new Error(`bootstrap: ${String(object.kind)} is not a known kind`);
  const { name, namespace } = object.metadata as { name: string; namespace?: string };
  // After a restart with a data directory they are there, perhaps changed by somebody.
  if (context.store.get(kind.storage, keyOf(kind, namespace, name)) !== undefined) return undefined;
  const old = createObject(context, { kind, namespace: undefined }, object, internalWrite("kube-apiserver"));
  return { kind, old };
}

/** The objects that every cluster has from the start. Effects: creates them. */
import { systemPriorities } from "../admission/core-strategies.ts";
import { reconcileDefaultPolicy } from "../authorization/default-policy/reconcile.ts";
import type { JsonObject } from "../json-value.ts";
import { type ApiContext, internalWrite, keyOf } from "../operations/context.ts";
import { createObject } from "../operations/create.ts";

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
}

function create(context: ApiContext, object: JsonObject): void {
  const kind = context.kinds.findByKind(String(object.apiVersion), String(object.kind));
  if (kind === undefined) throw new Error(`bootstrap: ${String(object.kind)} is not a known kind`);
  const { name, namespace } = object.metadata as { name: string; namespace?: string };
  // After a restart with a data directory they are there, perhaps changed by somebody.
  if (context.store.get(kind.storage, keyOf(kind, namespace, name)) !== undefined) return;
  createObject(context, { kind, namespace: undefined }, object, internalWrite("kube-apiserver"));
}

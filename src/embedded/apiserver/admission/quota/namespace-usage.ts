/** What the objects of a namespace take of a quota together. Reads the store; called by admission and by the controller. */
import { asObject } from "../../json-value.ts";
import { type KubeObject, specOf } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import type { ResourceKind } from "../../registry/kind.ts";
import { type ResourceList, resourceList } from "../pod-resources.ts";
import { addUsage, countName, maskUsage, usageOf } from "./object-usage.ts";
import { isInScope } from "./quota-scopes.ts";

export const hardOf = (quota: KubeObject): ResourceList => resourceList(asObject(specOf(quota).hard));

/** Under every name that the quota limits and this server can measure, zero too. */
export function usedOf(context: ApiContext, quota: KubeObject): ResourceList {
  const names = Object.keys(hardOf(quota));
  const namespace = quota.metadata.namespace ?? "";
  const used: Record<string, string> = Object.fromEntries(names.map((name) => [name, "0"]));
  for (const kind of context.kinds.storages()) {
    if (!kind.namespaced || !names.some((name) => isAbout(kind, name))) continue;
    for (const { object } of context.store.list(kind.storage, { namespace }).items) {
      if (!isInScope(quota, kind, object)) continue;
      addUsage(used, maskUsage(usageOf(kind, object, context.clock.now()), names));
    }
  }
  return used;
}

const podNames = /^(pods|cpu|memory|ephemeral-storage|hugepages-.+|(requests|limits)\.(?!storage$).+)$/;

/** Whether objects of this kind may take of what is limited under this name. */
export function isAbout(kind: ResourceKind, name: string): boolean {
  if (name === countName(kind)) return true;
  if (name.startsWith("count/")) return false;
  switch (kind.storage) {
    case "pods":
      return podNames.test(name);
    case "services":
      return name.startsWith("services");
    case "persistentvolumeclaims":
      return name === "requests.storage" || name.endsWith("persistentvolumeclaims") || name.includes(".storageclass.");
    default:
      return kind.group === "" && name === kind.plural;
  }
}

/**
 * ResourceQuota: nothing is created, and nothing grows, beyond what the quotas of its namespace leave. Usage is counted
 * from what is stored, so that it is never out of date; `controllers/resource-quotas.ts` shows it in the quotas' status.
 */

import { addQuantities, canonicalQuantity, compareQuantities, subtractQuantities } from "../../../quantity.ts";
import type { KubeObject } from "../../object.ts";
import type { ApiContext } from "../../operations/context.ts";
import { subjectOf } from "../../registry/kind.ts";
import { forbidden } from "../../status.ts";
import type { AdmissionPlugin, AdmissionRequest } from "../admission.ts";
import type { ResourceList } from "../pod-resources.ts";
import { hardOf, isAbout, usedOf } from "../quota/namespace-usage.ts";
import { findUnstated, maskUsage, usageOf } from "../quota/object-usage.ts";
import { isInScope } from "../quota/quota-scopes.ts";

export const resourceQuota: AdmissionPlugin = {
  name: "ResourceQuota",
  validate: (request, context) => {
    const { kind, namespace, object } = request;
    if (object === undefined || !kind.namespaced || !isCounted(request)) return;
    for (const { object: quota } of context.store.list("resourcequotas", { namespace }).items) {
      if (!isInScope(quota, kind, object)) continue;
      const names = Object.keys(hardOf(quota)).filter((name) => isAbout(kind, name));
      if (names.length > 0) check(context, request, { quota, names, object });
    }
  },
};

/** Most objects count when they are made; services and claims also when they change, pods when they are resized. */
function isCounted({ kind, operation, subresource }: AdmissionRequest): boolean {
  if (operation === "CREATE") return subresource === "";
  if (operation !== "UPDATE") return false;
  if (kind.storage === "pods") return subresource === "resize";
  return subresource === "" && ["services", "persistentvolumeclaims"].includes(kind.storage);
}

interface Question {
  readonly quota: KubeObject;
  readonly names: readonly string[];
  readonly object: KubeObject;
}

function check(context: ApiContext, request: AdmissionRequest, { quota, names, object }: Question): void {
  const { kind, name, old } = request;
  const refuse = (why: string) => forbidden(subjectOf(kind), name, why);
  const unstated = kind.storage === "pods" ? findUnstated(object, names) : undefined;
  if (unstated !== undefined) throw refuse(`failed quota: ${quota.metadata.name}: ${unstated}`);
  const nowMs = context.clock.now();
  const before = old === undefined ? {} : usageOf(kind, old, nowMs);
  const requested = increase(maskUsage(usageOf(kind, object, nowMs), names), before);
  if (Object.keys(requested).length === 0) return;
  const [hard, used] = [hardOf(quota), usedOf(context, quota)];
  const exceeded = Object.entries(requested)
    .filter(([one, more]) => compareQuantities(addQuantities(used[one] ?? "0", more), hard[one]) > 0)
    .map(([one]) => one)
    .sort();
  if (exceeded.length === 0) return;
  const show = (list: ResourceList) => exceeded.map((one) => `${one}=${canonicalQuantity(list[one] ?? "0")}`).join(",");
  const why = `requested: ${show(requested)}, used: ${show(used)}, limited: ${show(hard)}`;
  throw refuse(`exceeded quota: ${quota.metadata.name}, ${why}`);
}

function increase(usage: ResourceList, before: ResourceList): ResourceList {
  const more = Object.entries(usage).map(([name, quantity]): [string, string] => [
    name,
    subtractQuantities(quantity, before[name] ?? "0"),
  ]);
  return Object.fromEntries(more.filter(([, quantity]) => compareQuantities(quantity, "0") > 0));
}

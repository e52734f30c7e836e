/** What a pod requests and is limited to as a whole: its containers together, or its largest init container. Pure. */

import { addQuantities, compareQuantities } from "../../quantity.ts";
import { asArray, asObject, type JsonObject } from "../json-value.ts";

export type ResourceList = Readonly<Record<string, string>>;

export function resourceList(value: unknown): ResourceList {
  return Object.fromEntries(Object.entries(asObject(value)).map(([name, quantity]) => [name, String(quantity)]));
}

export function podResources(spec: JsonObject): { requests: ResourceList; limits: ResourceList } {
  return { requests: sumOf(spec, "requests"), limits: sumOf(spec, "limits") };
}

function sumOf(spec: JsonObject, side: "requests" | "limits"): ResourceList {
  const of = (container: JsonObject) => resourceList(asObject(container.resources)[side]);
  let total: ResourceList = {};
  for (const container of asArray(spec.containers).map(asObject)) total = addLists(total, of(container));
  let sidecars: ResourceList = {};
  let largest: ResourceList = {};
  for (const container of asArray(spec.initContainers).map(asObject)) {
    // A sidecar runs beside everything that starts after it.
    const isSidecar = container.restartPolicy === "Always";
    if (isSidecar) total = addLists(total, of(container));
    const during = addLists(sidecars, of(container));
    if (isSidecar) sidecars = during;
    largest = maxLists(largest, during);
  }
  const own = resourceList(asObject(spec.resources)[side]);
  return { ...maxLists(total, largest), ...own };
}

export function addLists(a: ResourceList, b: ResourceList): ResourceList {
  const sum: Record<string, string> = { ...a };
  for (const [name, quantity] of Object.entries(b)) sum[name] = addQuantities(a[name] ?? "0", quantity);
  return sum;
}

function maxLists(a: ResourceList, b: ResourceList): ResourceList {
  const most: Record<string, string> = { ...a };
  for (const [name, quantity] of Object.entries(b))
    if (most[name] === undefined || compareQuantities(quantity, most[name]) > 0) most[name] = quantity;
  return most;
}

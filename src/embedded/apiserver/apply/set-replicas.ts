/** The one field that a Scale sets in the object behind it. Pure: returns a copy. */
import { asObject, cloneJson, isObject, type JsonObject } from "../json-value.ts";
import type { KubeObject } from "../object.ts";

export function setReplicas(object: KubeObject, path: readonly string[], replicas: number): KubeObject {
  const copy = cloneJson(object);
  let parent: JsonObject = copy;
  for (const name of path.slice(0, -1)) {
    if (!isObject(parent[name])) parent[name] = {};
    parent = asObject(parent[name]);
  }
  parent[path.at(-1) ?? ""] = replicas;
  return copy;
}

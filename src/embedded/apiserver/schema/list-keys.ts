/** Lists as maps: the keys of an item, and its counterpart in an older list. Pure. */
import { deepEqual, isObject, type JsonObject } from "../json-value.ts";
import type { Schema } from "./schema.ts";

export function listType(schema: Schema): "atomic" | "set" | "map" {
  return schema["x-kubernetes-list-type"] ?? "atomic";
}

/** The key fields of an item of a list-map, with schema defaults for absent ones. */
export function keyFields(item: unknown, schema: Schema): JsonObject {
  const source = isObject(item) ? item : {};
  const key: JsonObject = {};
  for (const name of schema["x-kubernetes-list-map-keys"] ?? []) {
    const value = source[name] ?? schema.items?.properties?.[name]?.default ?? implicitDefaults[name];
    if (value !== undefined) key[name] = value;
  }
  return key;
}

/** Core types default the protocol of a port in Go rather than in the schema. */
const implicitDefaults: Readonly<Record<string, unknown>> = { protocol: "TCP" };

export function correlateItem(item: unknown, old: readonly unknown[], schema: Schema): unknown {
  if (listType(schema) !== "map") return undefined;
  const key = keyFields(item, schema);
  return old.find((candidate) => deepEqual(keyFields(candidate, schema), key));
}

/**
 * The zero value of a built-in type, as far as managed fields and answers show it: structs that are no pointers (the
 * schema gives them the default `{}`) are always there. Pure.
 */
import { isObject, type JsonObject } from "../json-value.ts";
import type { Schema } from "./schema.ts";

export function zeroValue(schema: Schema): JsonObject {
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(schema.properties ?? {}))
    if (isValueStruct(child)) result[name] = zeroValue(child);
  return result;
}

export function isValueStruct(schema: Schema): boolean {
  return schema.type === "object" && isObject(schema.default) && Object.keys(schema.default).length === 0;
}

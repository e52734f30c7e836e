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

/**
 * As a Go value of the type would be before anything is set: required fields are there with their zeros. What equals it
 * was set by nobody.
 */
export function unsetValue(schema: Schema): JsonObject {
  const result: JsonObject = {};
  for (const [name, child] of Object.entries(schema.properties ?? {})) {
    if (isValueStruct(child)) result[name] = unsetValue(child);
    else if (schema.required?.includes(name) === true) result[name] = zeroOf(child);
  }
  return result;
}

/** Lists, maps and pointers are null. */
function zeroOf({ type }: Schema): unknown {
  if (type === "string") return "";
  if (type === "boolean") return false;
  return type === "integer" || type === "number" ? 0 : null;
}

export function isValueStruct(schema: Schema): boolean {
  return schema.type === "object" && isObject(schema.default) && Object.keys(schema.default).length === 0;
}

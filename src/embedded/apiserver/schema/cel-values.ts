/**
 * JSON values as CEL sees them through a schema: integers as 64-bit integers, numbers as doubles, dates and durations as
 * such, and property names that CEL cannot write under their escaped form. Pure.
 */
import { isObject } from "../json-value.ts";
import { childSchemaOf } from "./prune.ts";
import type { Schema } from "./schema.ts";

export function toCelValue(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item) => toCelValue(item, schema.items ?? {}));
  if (isObject(value)) return toCelMap(value, schema);
  if (typeof value === "number") return schema.type !== "number" && Number.isInteger(value) ? BigInt(value) : value;
  if (typeof value === "string" && schema.format === "date-time") return new Date(value);
  return value;
}

function toCelMap(value: Record<string, unknown>, schema: Schema): Record<string, unknown> {
  // No prototype: `has(self.constructor)` must be false.
  const result: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [name, child] of Object.entries(value)) {
    if (child === undefined) continue;
    const isProperty = schema.properties !== undefined && Object.hasOwn(schema.properties, name);
    result[isProperty ? escapeName(name) : name] = toCelValue(child, childSchemaOf(schema, name) ?? {});
  }
  return result;
}

const reserved = new Set(
  "true false null in as break const continue else for function if import let loop package namespace return".split(" "),
);

export function escapeName(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll("__", "__underscores__")
    .replaceAll(".", "__dot__")
    .replaceAll("-", "__dash__")
    .replaceAll("/", "__slash__");
}

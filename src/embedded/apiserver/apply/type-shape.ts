/**
 * How a value of a schema merges: maps and structs by field, lists by key or by member, everything else as a whole.
 * Follows Kubernetes' reading of OpenAPI: a schema without a type takes any value, and an object without properties takes
 * any field. Called by every walker of this folder. Pure.
 */
import { isObject, type JsonObject } from "../json-value.ts";
import { keyFields } from "../schema/list-keys.ts";
import type { Schema } from "../schema/schema.ts";

/** `leaf` is a scalar, an atomic list or an atomic map; null is a leaf of any type. */
export type Shape = "leaf" | "map" | "list";

export interface Child {
  readonly schema: Schema;
  /** Named by the schema, as a struct's field is; keys of maps and unknown fields are not. */
  readonly named: boolean;
}

const free: Schema = {};

export function shapeOf(value: unknown, schema: Schema): Shape {
  if (Array.isArray(value)) return isAssociative(schema) ? "list" : "leaf";
  if (!isObject(value)) return "leaf";
  return schema["x-kubernetes-map-type"] === "atomic" ? "leaf" : "map";
}

export function isAssociative(schema: Schema): boolean {
  const type = schema["x-kubernetes-list-type"];
  if (type !== undefined) return type !== "atomic";
  return (schema["x-kubernetes-patch-strategy"] ?? "").split(",").includes("merge");
}

/** Undefined for a field that the schema does not declare. */
export function childOf(schema: Schema, name: string): Child | undefined {
  const { properties, additionalProperties } = schema;
  if (properties !== undefined && Object.hasOwn(properties, name)) {
    const child = properties[name];
    if (child !== undefined) return { schema: child, named: true };
  }
  if (typeof additionalProperties === "object") return { schema: additionalProperties, named: false };
  if (additionalProperties === false) return undefined;
  const open =
    additionalProperties === true ||
    properties === undefined ||
    schema["x-kubernetes-preserve-unknown-fields"] === true ||
    schema.type === undefined;
  return open ? { schema: free, named: false } : undefined;
}

export const itemSchemaOf = (schema: Schema): Schema => schema.items ?? free;

/** A list item cannot be told apart from others; the message is Kubernetes'. */
export class ItemKeyError extends Error {
  override readonly name = "ItemKeyError";
}

/** The path element of a list item: `k:{...}` by its key fields (with their defaults), or `v:...` in a set. */
export function itemElement(item: unknown, schema: Schema): string {
  const keys = keysOf(schema);
  return keys === undefined ? memberElement(item) : keyElement(item, schema, keys);
}

function keysOf(schema: Schema): readonly string[] | undefined {
  const keys = schema["x-kubernetes-list-map-keys"];
  if (schema["x-kubernetes-list-type"] === "map" && keys !== undefined && keys.length > 0) return keys;
  const mergeKey = schema["x-kubernetes-patch-merge-key"];
  return schema["x-kubernetes-list-type"] === undefined && mergeKey !== undefined ? [mergeKey] : undefined;
}

function memberElement(item: unknown): string {
  if (isObject(item)) throw new ItemKeyError("associative list without keys has an element that's a map type");
  if (Array.isArray(item)) throw new ItemKeyError("not supported: associative list with lists as elements");
  if (item === null || item === undefined)
    throw new ItemKeyError("associative list without keys has an element that's an explicit null");
  return `v:${elementJson(item)}`;
}

function keyElement(item: unknown, schema: Schema, keys: readonly string[]): string {
  if (item === null || item === undefined)
    throw new ItemKeyError("associative list with keys may not have a null element");
  if (!isObject(item)) throw new ItemKeyError("associative list with keys may not have non-map elements");
  const isDeclared = schema["x-kubernetes-list-map-keys"] === keys;
  const found = keyFields(item, isDeclared ? schema : { ...schema, "x-kubernetes-list-map-keys": keys });
  const names = Object.keys(found).sort();
  if (names.length === 0) {
    const list = keys.map((name) => JSON.stringify(name)).join(" ");
    throw new ItemKeyError(
      `associative list with keys has an element that omits all key fields [${list}] (and doesn't have default values for any key fields)`,
    );
  }
  const sorted: JsonObject = {};
  for (const name of names) sorted[name] = found[name];
  return `k:${elementJson(sorted)}`;
}

/** Go's JSON escapes what could end an HTML script, and managed fields show it. */
function elementJson(value: unknown): string {
  return JSON.stringify(value).replace(
    /[<>&\u2028\u2029]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

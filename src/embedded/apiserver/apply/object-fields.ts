/**
 * Which fields an object has, and which differ between two, in terms of its schema: maps and structs by field, lists as
 * maps by key, lists as sets by member, everything else atomic. Pure.
 */
import { deepEqual, isObject, type JsonObject } from "../json-value.ts";
import { keyFields, listType } from "../schema/list-keys.ts";
import { childSchemaOf } from "../schema/prune.ts";
import type { Schema } from "../schema/schema.ts";
import { emptySet, FieldSet } from "./field-set.ts";

const leaf = new FieldSet(true);

export type ValueShape = "object" | "map-list" | "set-list" | "leaf";

export function shapeOf(value: unknown, schema: Schema): ValueShape {
  if (isObject(value)) return schema["x-kubernetes-map-type"] === "atomic" ? "leaf" : "object";
  if (!Array.isArray(value)) return "leaf";
  const type = listType(schema);
  return type === "map" ? "map-list" : type === "set" ? "set-list" : "leaf";
}

/** Children of a non-leaf value: path element, value and schema. */
export function childrenOf(
  value: unknown,
  schema: Schema,
): Map<string, { value: unknown; schema: Schema; isItem: boolean }> {
  const result = new Map<string, { value: unknown; schema: Schema; isItem: boolean }>();
  if (isObject(value)) {
    for (const [name, child] of Object.entries(value)) {
      if (child === undefined) continue;
      const isItem = schema.properties === undefined || !Object.hasOwn(schema.properties, name);
      result.set(`f:${name}`, { value: child, schema: childSchemaOf(schema, name) ?? {}, isItem });
    }
  }
  if (Array.isArray(value)) {
    for (const item of value)
      result.set(itemElement(item, schema), { value: item, schema: schema.items ?? {}, isItem: true });
  }
  return result;
}

export function itemElement(item: unknown, schema: Schema): string {
  if (listType(schema) === "set") return `v:${JSON.stringify(item)}`;
  const key = keyFields(item, schema);
  const sorted: JsonObject = {};
  for (const name of Object.keys(key).sort()) sorted[name] = key[name];
  return `k:${JSON.stringify(sorted)}`;
}

export function fieldsOf(value: unknown, schema: Schema, isItem = false): FieldSet {
  const shape = shapeOf(value, schema);
  if (shape === "leaf") return leaf;
  const children = new Map<string, FieldSet>();
  for (const [element, child] of childrenOf(value, schema))
    children.set(element, fieldsOf(child.value, child.schema, child.isItem));
  // List items are members themselves, and so is an empty map or list, which has nothing else to own.
  return new FieldSet(children.size === 0 || isItem, children);
}

/** Paths that both have, with different values at leaves. */
export function modifiedFields(old: unknown, next: unknown, schema: Schema): FieldSet {
  if (deepEqual(old, next)) return emptySet;
  const shape = shapeOf(next, schema);
  if (shape === "leaf" || shape !== shapeOf(old, schema)) return leaf;
  const before = childrenOf(old, schema);
  const children = new Map<string, FieldSet>();
  for (const [element, child] of childrenOf(next, schema)) {
    const previous = before.get(element);
    if (previous === undefined) continue;
    const changed = modifiedFields(previous.value, child.value, child.schema);
    if (!changed.isEmpty) children.set(element, changed);
  }
  return new FieldSet(false, children);
}

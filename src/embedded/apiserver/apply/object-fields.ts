/**
 * Which fields an object names, in terms of its schema. This is what the manager of an applied configuration owns. Pure.
 */
import { isObject, type JsonObject } from "../json-value.ts";
import type { Schema } from "../schema/schema.ts";
import { emptySet, FieldSet, leafSet } from "./field-set.ts";
import { childOf, itemElement, itemSchemaOf, shapeOf } from "./type-shape.ts";

/** Null and an empty map are owned as they are; an empty list by key or member names nothing. */
export function fieldsOf(value: unknown, schema: Schema): FieldSet {
  return fieldsBelow(value, schema, true);
}

function fieldsBelow(value: unknown, schema: Schema, isRoot: boolean): FieldSet {
  const shape = shapeOf(value, schema);
  if (shape === "leaf") return isRoot ? emptySet : leafSet;
  return shape === "list"
    ? fieldsOfItems(value as readonly unknown[], schema)
    : fieldsOfMap(value as JsonObject, schema);
}

function fieldsOfMap(value: JsonObject, schema: Schema): FieldSet {
  const children = new Map<string, FieldSet>();
  for (const name of Object.keys(value)) {
    const child = value[name];
    if (child === undefined) continue;
    const found = childOf(schema, name);
    const below = fieldsBelow(child, found?.schema ?? {}, false);
    const isMember = found?.named !== true || child === null || (isObject(child) && Object.keys(child).length === 0);
    const set = isMember ? asMember(below) : below;
    if (!set.isEmpty) children.set(`f:${name}`, set);
  }
  return new FieldSet(false, children);
}

function fieldsOfItems(items: readonly unknown[], schema: Schema): FieldSet {
  const children = new Map<string, FieldSet>();
  const repeated = new Set<string>();
  for (const item of items) {
    const element = itemElement(item, schema);
    if (children.has(element)) repeated.add(element);
    children.set(element, asMember(fieldsBelow(item, itemSchemaOf(schema), false)));
  }
  // Items that cannot be told apart are owned together, without their fields.
  for (const element of repeated) children.set(element, leafSet);
  return new FieldSet(false, children);
}

function asMember(set: FieldSet): FieldSet {
  if (set.member) return set;
  return set.children.size === 0 ? leafSet : new FieldSet(true, set.children);
}

/**
 * Ownership after a schema change: who owned fields of a map or list that is atomic now owns the whole of it. (The other
 * way round needs nothing: a whole is a leaf, and stays one until somebody writes below it.) Pure.
 */
import type { Schema } from "../schema/schema.ts";
import { FieldSet, leafSet } from "./field-set.ts";
import { childOf, isAssociative, itemSchemaOf } from "./type-shape.ts";

/** Sets that the schema has nothing to say of, by the last such schema: they come again with every write. */
const agreed = new WeakMap<FieldSet, Schema>();

/** The same set when nothing changes. */
export function reconcileWithSchema(fields: FieldSet, schema: Schema): FieldSet {
  if (agreed.get(fields) === schema) return fields;
  const found = reconcile(fields, schema, true);
  if (found === fields) agreed.set(fields, schema);
  return found;
}

function reconcile(fields: FieldSet, schema: Schema, isRoot: boolean): FieldSet {
  if (fields.children.size === 0) return fields;
  if (!isRoot && isAtomic(schema)) return leafSet;
  let children: Map<string, FieldSet> | undefined;
  for (const [element, child] of fields.children) {
    const below = element.startsWith("f:") ? childOf(schema, element.slice(2))?.schema : itemSchemaOf(schema);
    const next = below === undefined ? child : reconcile(child, below, false);
    if (next === child) continue;
    children ??= new Map(fields.children);
    children.set(element, next);
  }
  return children === undefined ? fields : new FieldSet(fields.member, children);
}

function isAtomic(schema: Schema): boolean {
  if (schema.type === "array") return !isAssociative(schema);
  return schema.type === "object" && schema["x-kubernetes-map-type"] === "atomic";
}

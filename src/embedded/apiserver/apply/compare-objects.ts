/**
 * What changed between two objects, as three sets of fields. Called for every write: whoever adds or modifies a field
 * takes it over from all others, and what is removed belongs to nobody. One walk over both objects. Pure.
 */
import { deepEqual, isObject, type JsonObject } from "../json-value.ts";
import type { Schema } from "../schema/schema.ts";
import { emptySet, FieldSet, leafSet } from "./field-set.ts";
import { childOf, itemElement, itemSchemaOf, type Shape, shapeOf } from "./type-shape.ts";

export interface Comparison {
  readonly added: FieldSet;
  readonly modified: FieldSet;
  readonly removed: FieldSet;
}

const same: Comparison = { added: emptySet, modified: emptySet, removed: emptySet };
const addedLeaf: Comparison = { ...same, added: leafSet };
const modifiedLeaf: Comparison = { ...same, modified: leafSet };
const removedLeaf: Comparison = { ...same, removed: leafSet };

export function compareObjects(before: unknown, after: unknown, schema: Schema): Comparison {
  const { added, modified, removed } = compare(before, after, schema);
  const root = (set: FieldSet) => (set.member ? new FieldSet(false, set.children) : set);
  return { added: root(added), modified: root(modified), removed: root(removed) };
}

function compare(before: unknown, after: unknown, schema: Schema): Comparison {
  if (before === after) return same;
  const shape = sharedShape(before, after, schema);
  if (shape === undefined) return compareUnlike(before, after, schema);
  if (shape === "leaf" || (isEmpty(before) && isEmpty(after))) return compareLeaves(before, after);
  const children = shape === "map" ? compareMaps(before, after, schema) : compareLists(before, after, schema);
  return withSelf(children, before === undefined, after === undefined);
}

/** Undefined where one side merges by field and the other does not. An absent side, or a null, takes the other's form. */
function sharedShape(before: unknown, after: unknown, schema: Schema): Shape | undefined {
  if (after === undefined || after === null) return shapeOf(before, schema);
  if (before === undefined || before === null) return shapeOf(after, schema);
  const shape = shapeOf(after, schema);
  return shape === shapeOf(before, schema) ? shape : undefined;
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return Array.isArray(value) ? value.length === 0 : isObject(value) && Object.keys(value).length === 0;
}

function compareLeaves(before: unknown, after: unknown): Comparison {
  if (before === undefined) return addedLeaf;
  if (after === undefined) return removedLeaf;
  return deepEqual(before, after) ? same : modifiedLeaf;
}

/** A value of free form that changed its type: modified as a whole, and whatever is below comes or goes. */
function compareUnlike(before: unknown, after: unknown, schema: Schema): Comparison {
  const gone = compare(before, undefined, schema).removed;
  const come = compare(undefined, after, schema).added;
  return {
    added: new FieldSet(false, come.children),
    modified: leafSet,
    removed: new FieldSet(false, gone.children),
  };
}

function withSelf(children: Builder, isNew: boolean, isGone: boolean): Comparison {
  return {
    added: build(children.added, isNew),
    modified: build(children.modified, false),
    removed: build(children.removed, isGone),
  };
}

interface Builder {
  added?: Map<string, FieldSet>;
  modified?: Map<string, FieldSet>;
  removed?: Map<string, FieldSet>;
}

function build(children: Map<string, FieldSet> | undefined, member: boolean): FieldSet {
  if (children === undefined) return member ? leafSet : emptySet;
  return new FieldSet(member, children);
}

const parts = ["added", "modified", "removed"] as const;

function put(builder: Builder, element: string, found: Comparison): void {
  if (found === same) return;
  for (const part of parts) {
    if (found[part].isEmpty) continue;
    builder[part] ??= new Map();
    builder[part].set(element, found[part]);
  }
}

function compareMaps(before: unknown, after: unknown, schema: Schema): Builder {
  const builder: Builder = {};
  const old = isObject(before) ? before : {};
  const next = isObject(after) ? after : {};
  for (const name of Object.keys(old)) putField(builder, name, { old, next }, schema);
  for (const name of Object.keys(next))
    if (ownField(old, name) === undefined) putField(builder, name, { old, next }, schema);
  return builder;
}

function putField(builder: Builder, name: string, pair: { old: JsonObject; next: JsonObject }, schema: Schema): void {
  const before = ownField(pair.old, name);
  const after = ownField(pair.next, name);
  if (before !== after) put(builder, `f:${name}`, compare(before, after, childOf(schema, name)?.schema ?? {}));
}

function ownField(value: JsonObject, name: string): unknown {
  return Object.hasOwn(value, name) ? value[name] : undefined;
}

function compareLists(before: unknown, after: unknown, schema: Schema): Builder {
  const builder: Builder = {};
  const old = byElement(before, schema);
  const next = byElement(after, schema);
  const items = itemSchemaOf(schema);
  for (const [element, values] of old) put(builder, element, compareItems(values, next.get(element) ?? [], items));
  for (const [element, values] of next) if (!old.has(element)) put(builder, element, compareItems([], values, items));
  return builder;
}

function byElement(list: unknown, schema: Schema): Map<string, unknown[]> {
  const result = new Map<string, unknown[]>();
  if (!Array.isArray(list)) return result;
  for (const item of list) {
    const element = itemElement(item, schema);
    const known = result.get(element);
    if (known === undefined) result.set(element, [item]);
    else known.push(item);
  }
  return result;
}

/** Items that share a key count as one, whose fields nobody owns. */
function compareItems(before: readonly unknown[], after: readonly unknown[], schema: Schema): Comparison {
  if (before.length <= 1 && after.length <= 1) return compare(before[0], after[0], schema);
  if (before.length > 1 && after.length > 1) return deepEqual(before, after) ? same : modifiedLeaf;
  if (before.length > 1) {
    const { added } = after.length === 0 ? same : compare(undefined, after[0], schema);
    return { ...same, added, removed: leafSet };
  }
  const { removed } = before.length === 0 ? same : compare(before[0], undefined, schema);
  return { ...same, removed, added: leafSet };
}

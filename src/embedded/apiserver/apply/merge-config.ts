/**
 * The value side of server-side apply: laying an applied configuration over the live object, and taking fields out of an
 * object. Pure: returns fresh values, sharing what did not change.
 */
import { isObject, type JsonObject, setField } from "../json-value.ts";
import type { Schema } from "../schema/schema.ts";
import { emptySet, type FieldSet } from "./field-set.ts";
import { childOf, itemElement, itemSchemaOf, shapeOf } from "./type-shape.ts";

/** Nothing is removed by this: a null or an empty map in the configuration leaves what a granular map holds. */
export function mergeConfig(live: unknown, config: unknown, schema: Schema): unknown {
  if (config === undefined) return live;
  if (live === undefined || live === null) return config;
  const shape = shapeOf(live, schema);
  if (shape !== "leaf" && config === null && !isEmpty(live)) return live;
  if (shape === "leaf" || shape !== shapeOf(config, schema)) return config;
  return shape === "map"
    ? mergeFields(live as JsonObject, config as JsonObject, schema)
    : mergeItems(live as readonly unknown[], config as readonly unknown[], schema);
}

function isEmpty(value: unknown): boolean {
  return Array.isArray(value) ? value.length === 0 : Object.keys(value as JsonObject).length === 0;
}

function mergeFields(live: JsonObject, config: JsonObject, schema: Schema): JsonObject {
  const result: JsonObject = { ...live };
  for (const name of Object.keys(config)) {
    const before = Object.hasOwn(live, name) ? live[name] : undefined;
    setField(result, name, mergeConfig(before, config[name], childOf(schema, name)?.schema ?? {}));
  }
  return result;
}

interface Items {
  readonly elements: readonly string[];
  readonly values: ReadonlyMap<string, unknown>;
}

function indexItems(list: readonly unknown[], schema: Schema): Items {
  const elements = list.map((item) => itemElement(item, schema));
  const values = new Map<string, unknown>();
  // Of items that share a key none is the one to merge with.
  for (const [index, element] of elements.entries()) values.set(element, values.has(element) ? undefined : list[index]);
  return { elements, values };
}

/**
 * Shared items come in the applied order; items of the live list alone stay where they are between them, and new ones
 * come where the configuration has them.
 */
function mergeItems(live: readonly unknown[], config: readonly unknown[], schema: Schema): unknown[] {
  const left = indexItems(live, schema);
  const right = indexItems(config, schema);
  const shared = right.elements.filter((element) => left.values.has(element));
  const merged = new Set<string>();
  const result: unknown[] = [];
  const items = itemSchemaOf(schema);
  const take = (element: string) => {
    merged.add(element);
    result.push(mergeConfig(left.values.get(element), right.values.get(element), items));
    if (shared[0] === element) shared.shift();
  };
  let l = 0;
  let r = 0;
  while (l < live.length || r < config.length) {
    const mine = left.elements[l];
    const theirs = right.elements[r];
    const isShared = mine !== undefined && right.values.has(mine);
    if (mine !== undefined && !isShared) result.push(live[l++]);
    else if (isShared && mine !== theirs && theirs !== undefined && shared[0] !== undefined && shared[0] !== mine)
      l += 1;
    else {
      if (mine === theirs || (mine !== undefined && merged.has(mine))) l += 1;
      if (theirs !== undefined) take(theirs);
      r += 1;
    }
  }
  return result;
}

/** Without the members of `gone`. What a removal leaves empty stays, as an empty map or list. */
export function removeFields(value: unknown, gone: FieldSet, schema: Schema): unknown {
  const shape = shapeOf(value, schema);
  if (gone.isEmpty || shape === "leaf") return value;
  return shape === "map"
    ? removeFromMap(value as JsonObject, gone, schema)
    : removeFromList(value as readonly unknown[], gone, schema);
}

function removeFromMap(value: JsonObject, gone: FieldSet, schema: Schema): JsonObject {
  const result: JsonObject = {};
  for (const name of Object.keys(value)) {
    const below = gone.children.get(`f:${name}`) ?? emptySet;
    if (!below.member) setField(result, name, removeFields(value[name], below, childOf(schema, name)?.schema ?? {}));
  }
  return result;
}

function removeFromList(value: readonly unknown[], gone: FieldSet, schema: Schema): unknown[] {
  const result: unknown[] = [];
  for (const item of value) {
    const below = gone.children.get(itemElement(item, schema)) ?? emptySet;
    if (!below.member) result.push(isObject(item) ? removeFields(item, below, itemSchemaOf(schema)) : item);
  }
  return result;
}
